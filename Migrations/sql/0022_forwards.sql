-- Meta's webhooks passed on to desks and bots: how far each endpoint is in each stream of raw receipts, and what it refused.

create table forward (                      -- who passes to an endpoint now, and how it goes
  endpoint_id   bigint primary key references endpoint,
  node          bigint not null,
  lease_until   timestamptz not null,
  day           date not null,              -- nothing before it is left to pass
  failures      int not null default 0,     -- of the body that is next
  due_at        timestamptz not null default now(),
  status        smallint,
  reason        text,
  failing_at    timestamptz                 -- when the body that is next was received
);

create table forward_place (                -- `n` bodies of batch `k` are passed, and all batches before it
  endpoint_id   bigint not null references endpoint,
  stream        bigint not null,
  k             bigint not null,
  n             int not null,
  primary key (endpoint_id, stream)
) with (fillfactor = 50);

create table forward_failed (               -- refused for good by whoever should have taken it
  endpoint_id   bigint not null references endpoint,
  stream        bigint not null,
  k             bigint not null,
  n             int not null,
  day           date not null,
  received_at   timestamptz not null,
  attempts      int not null,
  status        smallint,
  reason        text not null,
  replay        boolean not null default false,
  primary key (endpoint_id, stream, k, n)
);

-- What Meta says it charged, beside what the ledger says, per day, number, country, category and type.

create table reconciliation (
  reconciliation_id bigint generated always as identity primary key,
  business_id   bigint not null references business,
  account_id    bigint not null references account,
  from_day      date not null,              -- in the account's zone
  to_day        date not null,
  ran_at        timestamptz not null default clock_timestamp(),
  meta_volume   bigint not null,
  meta_cost     numeric,                    -- null where Meta tells no cost (accounts billed to a partner)
  our_volume    bigint not null,
  our_cost      numeric not null,
  parts         jsonb not null              -- the differences by reason
);
create index reconciliation_account on reconciliation (account_id, reconciliation_id desc);

create table reconciliation_line (          -- only where the two differ
  reconciliation_id bigint not null references reconciliation on delete cascade,
  line          int not null,
  day           date not null,
  number        bigint not null,            -- its phone; 0 where no number is known
  country       text not null,
  category      smallint,
  pricing_type  smallint not null,
  meta_volume   bigint not null,
  meta_cost     numeric,
  our_volume    bigint not null,
  our_cost      numeric not null,
  parts         jsonb not null,
  primary key (reconciliation_id, line)
);

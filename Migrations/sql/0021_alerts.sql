-- Alerts out: what happened, who is told by which address, and how far each has been told.

create table endpoint (                     -- an address that somebody registered
  endpoint_id   bigint generated always as identity primary key,
  business_id   bigint not null references business,
  url           text not null,
  events        text[],                     -- the kinds it is told of; null: it is passed Meta's webhooks instead
  forwards      text,                       -- all, messages, statuses
  sealed        bytea not null,             -- its secret
  sealed_before bytea,                      -- the secret before, which signs too
  before_until  timestamptz,
  by            text not null,
  created_at    timestamptz not null default now(),
  removed_at    timestamptz,
  check ((events is null) <> (forwards is null))
);
create index endpoint_business on endpoint (business_id) where removed_at is null;

create table alert (                        -- derived from the tables of events, each event once
  alert_id      bigint generated always as identity primary key,
  business_id   bigint not null references business,
  source        text not null unique,       -- table and key of the event
  event         text not null,
  at            timestamptz not null,
  data          jsonb not null,
  made_at       timestamptz not null default now()
);
create index alert_business on alert (business_id, alert_id);

-- Up to when events were derived. Its lock makes one node derive at a time, so that alert ids are committed in order.
create table alert_cursor (
  only_row      boolean primary key default true check (only_row),
  upto          timestamptz not null default now()
);
insert into alert_cursor default values;

create table delivery (                     -- one alert to one endpoint, written in the alert's own transaction
  endpoint_id   bigint not null references endpoint,
  alert_id      bigint not null references alert on delete cascade,
  state         smallint not null default 1,  -- 1 waiting, 2 delivered, 3 undelivered
  attempts      smallint not null default 0,
  status        smallint,                   -- of the last answer
  reason        text,                       -- why the last attempt failed
  due_at        timestamptz not null default now(),   -- while it is under way: when another node may take it over
  ended_at      timestamptz,
  primary key (alert_id, endpoint_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index delivery_due on delivery (endpoint_id, due_at) where state = 1;
create index delivery_failed on delivery (endpoint_id, alert_id) where state <> 2 and attempts > 0;

-- What the derivation looks events up by. The ledger of consent is appended in order of time: a BRIN costs it nothing.
create index campaign_event_at on campaign_event (at);
create index pause_at on pause (at);
create index pause_end_at on pause_end (at);
create index number_observation_at on number_observation (at);
create index campaign_sent on campaign (sent_at) where sent_at is not null;
create index campaign_ended on campaign (ended_at) where ended_at is not null;
create index audit_at on audit using brin (at) with (pages_per_range = 16);
create index consent_recorded on consent using brin (recorded_at) with (pages_per_range = 16);

-- The schema of Qafila. Rules that every later migration keeps:
--   * `business_id` stands in every root table; the tree is business > portfolio > account (WABA) > number.
--   * Nothing indexed is ever updated on the hot path; what moves is the newest row of a log.
--   * What belongs to a campaign's messages is partitioned by the month of its draft: campaign ids are allotted from
--     that month's block (id >= month << 32, month = year * 12 + month - 1), so `campaign_id` alone prunes.
--   * No enums, triggers or foreign keys across partitions: closed lists are smallint, their words are in the code.
--   * Phones are E.164 as the number their digits spell. Money is numeric. Times are timestamptz, slots are nanoseconds.

-- ---------------------------------------------------------------- installation and accounts

create table installation (
  only_row      boolean primary key default true check (only_row),
  installation  text not null,              -- stands in every callback key; keeps a staging system's receipts apart
  pepper        bytea not null,             -- sealed; person keys are HMACs under it, so it never changes
  created_at    timestamptz not null default now()
);

create table business (
  business_id   bigint generated always as identity primary key,
  name          text not null,
  created_at    timestamptz not null default now()
);

create table api_key (
  api_key_id    bigint generated always as identity primary key,
  business_id   bigint not null references business,
  name          text not null,
  role          smallint not null,
  digest        bytea not null unique,      -- HMAC of the key under the seal key; the key itself is shown once
  created_at    timestamptz not null default now(),
  revoked_at    timestamptz
);

create table portfolio (
  portfolio_id  bigint generated always as identity primary key,
  business_id   bigint not null references business,
  meta_id       text not null,
  unique (business_id, meta_id)
);

create table token (
  token_id      bigint generated always as identity primary key,
  business_id   bigint not null references business,
  sealed        bytea not null,
  digest        bytea not null,             -- finds the same token again without opening it
  created_at    timestamptz not null default now(),
  unique (business_id, digest)
);

create table account (                      -- a WhatsApp Business Account
  account_id    bigint generated always as identity primary key,
  business_id   bigint not null references business,
  portfolio_id  bigint not null references portfolio,
  waba_id       text not null unique,
  name          text not null default '',
  currency      text not null,
  zone          text not null,
  subscribed_at timestamptz
);

create table number (
  number_id        bigint generated always as identity primary key,
  business_id      bigint not null references business,
  account_id       bigint not null references account,
  token_id         bigint not null references token,
  phone_number_id  text not null unique,
  phone            bigint not null,
  label            text not null default '',
  verified_name    text not null default '',
  status           text not null default 'UNKNOWN',
  quality          text not null default 'UNKNOWN',
  tier             text not null default '',
  throughput       text not null default 'STANDARD',
  per_second       int not null default 80,           -- Meta's limit for this number
  per_second_own   int,                               -- ours, when lower
  reserve_percent  smallint not null default 20,      -- kept for desk replies, which share the number's rate
  observed_at      timestamptz,
  created_at       timestamptz not null default now()
);

create table number_observation (           -- what was seen, when and how: the history of a number
  number_id     bigint not null,
  at            timestamptz not null default clock_timestamp(),
  source        text not null,
  observation   jsonb not null,
  primary key (number_id, at)
);

create table template (
  template_id   bigint generated always as identity primary key,
  business_id   bigint not null references business,
  account_id    bigint not null references account,
  meta_id       text not null,
  name          text not null,
  language      text not null,
  status        text not null,
  category      smallint not null,
  quality       text not null default 'UNKNOWN',
  parameter_format text not null default 'POSITIONAL',
  components    jsonb not null,
  version       int not null default 1,     -- grows when the text changes; a launch freezes the text it saw
  synced_at     timestamptz not null,
  unique (account_id, name, language)
);

-- ---------------------------------------------------------------- people

create table contact (
  contact_id    bigint generated always as identity primary key,
  business_id   bigint not null,
  phone         bigint,                     -- null for those known by a business-scoped user id alone
  user_id       text,
  person_key    uuid not null,
  country       text not null default '',   -- ISO 3166 of the phone
  suspect       boolean not null default false,
  attributes    jsonb not null default '{}',
  opt_in_at     timestamptz,                -- recorded marketing consent; null = stored, not marketable
  opt_in_source text,
  opt_in_upload bigint,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  check (phone is not null or user_id is not null)
);
create unique index contact_phone on contact (business_id, phone);
create unique index contact_user on contact (business_id, user_id) where user_id is not null;

create table audience (
  audience_id   bigint generated always as identity primary key,
  business_id   bigint not null references business,
  name          text not null,
  created_at    timestamptz not null default now(),
  unique (business_id, name)
);

create table audience_member (
  audience_id   bigint not null,
  contact_id    bigint not null,
  primary key (audience_id, contact_id)
);

create table upload (                       -- one import and its report
  upload_id     bigint generated always as identity primary key,
  business_id   bigint not null,
  audience_id   bigint not null references audience,
  state         text not null,              -- running, committed, refused
  report        jsonb not null default '{}',
  sha256        bytea,
  by            text not null default '',
  started_at    timestamptz not null default now(),
  ended_at      timestamptz
);

create table upload_reject (
  upload_id     bigint not null references upload on delete cascade,
  line          bigint not null,
  reason        text not null,
  remedy        text not null default '',
  raw           text not null default '',
  primary key (upload_id, line)
);

-- Consent is a ledger: nothing is changed, nothing removed. What holds now is derived into `suppression`.
create table consent (
  consent_id    bigint generated always as identity primary key,
  business_id   bigint not null,
  person_key    uuid not null,
  scope         smallint not null,
  event         smallint not null,
  source        smallint not null,
  evidence      jsonb not null default '{}',
  source_at     timestamptz not null,       -- when the person said it
  recorded_at   timestamptz not null default clock_timestamp()
);
create index consent_person on consent (business_id, person_key);

create table suppression (
  business_id   bigint not null,
  person_key    uuid not null,
  scope         smallint not null,
  active        boolean not null,
  at            timestamptz not null,
  consent_id    bigint not null,
  primary key (business_id, person_key, scope)
);

-- Writes consent rows and what follows from them, in one statement, inside the caller's transaction. The later word holds
-- by the time the person said it; at the same instant a stop wins, so an old file never undoes a newer stop.
create function record_consent(
  _business bigint, _people uuid[], _scopes smallint[], _events smallint[], _sources smallint[], _evidence jsonb[],
  _source_at timestamptz[]
) returns int language sql as $$
  with said as (
    insert into consent (business_id, person_key, scope, event, source, evidence, source_at)
    -- A clock that runs ahead must not outvote later words.
    select _business, p, s, e, so, ev, least(at, clock_timestamp())
    from unnest(_people, _scopes, _events, _sources, _evidence, _source_at) as x (p, s, e, so, ev, at)
    returning consent_id, person_key, scope, event, source_at
  ), effect as (
    -- A start for everything re-opens both scopes; any other word touches its own.
    select distinct on (person_key, scope) person_key, scope, event, source_at, consent_id from (
      select person_key, scope, event, source_at, consent_id from said
      union all
      select person_key, 1::smallint, event, source_at, consent_id from said where scope = 2 and event = 2
    ) u
    order by person_key, scope, source_at desc, event, consent_id desc
  ), changed as (
    insert into suppression as s (business_id, person_key, scope, active, at, consent_id)
    select _business, person_key, scope, event = 1, source_at, consent_id from effect order by person_key, scope
    on conflict (business_id, person_key, scope) do update
      set active = excluded.active, at = excluded.at, consent_id = excluded.consent_id
      where excluded.at > s.at or (excluded.at = s.at and excluded.active and not s.active)
    returning 1
  )
  select count(*)::int from said
$$;

-- ---------------------------------------------------------------- campaigns

create table campaign_block (               -- campaign ids are allotted from their month's block
  month         int primary key,
  used          bigint not null
);

create table campaign (
  campaign_id   bigint primary key,
  business_id   bigint not null references business,
  kind          smallint not null default 1,
  parent_id     bigint,                     -- a test's campaign
  name          text not null,
  state         smallint not null,          -- the stored life: draft, scheduled, preparing, sending, settling, completed, cancelled, failed
  spec          jsonb not null,             -- the request with every default that was applied
  frozen        jsonb,                      -- at launch: the template's text, parameters, price basis
  account_id    bigint not null references account,
  template_id   bigint not null references template,
  category      smallint not null,
  numbers       bigint[] not null,
  start_at      timestamptz,
  end_at        timestamptz,
  recipients    bigint,                     -- known after the freeze
  excluded      bigint,
  failure       jsonb,
  created_by    text not null,
  created_at    timestamptz not null default now(),
  launched_by   text,
  launched_at   timestamptz,
  prepared_at   timestamptz,
  sent_at       timestamptz,                -- when the last recipient had been handed over or skipped
  ended_at      timestamptz
);
create index campaign_business on campaign (business_id, campaign_id desc);
create index campaign_live on campaign (state) where state in (3, 4, 5, 8);

create table campaign_setting (             -- what may change while it runs; the newest version holds
  campaign_id   bigint not null,
  version       int not null,
  setting       jsonb not null,
  by            text not null,
  at            timestamptz not null default now(),
  primary key (campaign_id, version)
);

create table campaign_event (               -- who did what, which rule, which evidence
  campaign_id   bigint not null,
  event_id      bigint generated always as identity,
  at            timestamptz not null default clock_timestamp(),
  event         text not null,
  actor         text not null,
  reason        text not null default '',
  evidence      jsonb not null default '{}',
  primary key (campaign_id, event_id)
);

-- A pause is an open cause. Sending is allowed while none is open over any scope of a message.
create table pause (
  pause_id      bigint generated always as identity primary key,
  business_id   bigint not null,
  scope         smallint not null,
  scope_id      bigint not null,
  cause         text not null,              -- operator, marketer, guard, error, stop_all, cancelled
  rule          text not null default '',
  reason        text not null default '',
  evidence      jsonb not null default '{}',
  actor         text not null,
  at            timestamptz not null default clock_timestamp()
);
create index pause_scope on pause (scope, scope_id);
create table pause_end (
  pause_id      bigint primary key references pause,
  reason        text not null,
  actor         text not null,
  at            timestamptz not null default clock_timestamp()
);
create view open_pause as
  select p.* from pause p where not exists (select from pause_end e where e.pause_id = p.pause_id);

create table recipient (                    -- immutable, in the frozen order
  campaign_id   bigint not null,
  contact_id    bigint not null,
  phone         bigint not null,
  seq           int not null,
  class         smallint not null default 0,
  person_key    uuid not null,
  vars          text[] not null,
  primary key (campaign_id, seq)
) partition by range (campaign_id);

create table exclusion (                    -- an entry of an audience that is not a recipient, with its reason
  campaign_id   bigint not null,
  contact_id    bigint not null,
  audience_id   bigint not null,
  reason        smallint not null,
  primary key (campaign_id, contact_id, audience_id)
) partition by range (campaign_id);

create table run (                          -- a contiguous slice with one eligibility class
  campaign_id   bigint not null,
  run_no        int not null,
  lo            int not null,
  hi            int not null,
  zone          text not null,              -- one or more IANA zones, comma between: the window must be open in all
  wave          smallint not null default 0,
  number_id     bigint,                     -- null: any of the campaign's numbers
  primary key (campaign_id, run_no)
);

create table run_take (                     -- a lane's hold on a run
  campaign_id   bigint not null,
  run_no        int not null,
  take          smallint not null,
  number_id     bigint not null,
  from_seq      int not null,
  at            timestamptz not null default clock_timestamp(),
  primary key (campaign_id, run_no, take)
);
create index run_take_number on run_take (number_id, campaign_id);

create table skip (                         -- decided after the start: will not be written to
  campaign_id   bigint not null,
  seq           int not null,
  reason        smallint not null,
  at            timestamptz not null default clock_timestamp(),
  primary key (campaign_id, seq)
) partition by range (campaign_id);

create table due (                          -- waits and goes by itself: the only place rows are taken with SKIP LOCKED
  campaign_id   bigint not null,
  seq           int not null,
  attempt       smallint not null,
  due_at        timestamptz not null,
  reason        smallint not null,
  times         smallint not null default 1,
  primary key (campaign_id, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index due_at on due (campaign_id, due_at);

-- ---------------------------------------------------------------- the lane: claim, gate, fact

create table node_beat (                    -- liveness, append-only: silence is judged on the observer's own clock
  node          bigint not null,
  seq           bigint not null,
  primary key (node, seq)
);

-- A number's ordered way out: cursor, reservation, fence and audit in one log. The newest row says who owns the lane.
create table lane_log (
  number_id     bigint not null,
  k             bigint not null,
  epoch         int not null,               -- a claim takes it from row k-1 of the same epoch: null there = fenced = error
  kind          smallint not null,          -- 1 claim of a run's range, 2 claim of due rows, 3 takeover, 4 release
  node          bigint not null,
  done_k        bigint not null,            -- every message of claims up to here has a fact, skip or due row
  campaign_id   bigint,
  run_no        int,
  take          smallint,
  lo            int,
  hi            int,
  seqs          int[],
  attempts      smallint[],
  slot0         bigint,                     -- nanoseconds since 1970, the owner's clock
  step          bigint,
  reserved      numeric,
  at            timestamptz not null default clock_timestamp(),
  primary key (number_id, k)
);

create table touch (                        -- a person's contact log; the newest row's key decides races between lanes.
  contact_id    bigint not null,            -- A committed row means: may have been handed over.
  campaign_id   bigint not null,
  number_id     bigint not null,
  at            timestamptz not null,
  n             int not null,
  seq           int not null,
  epoch         int not null,
  attempt       smallint not null,
  primary key (contact_id, n)
);

create table fact (                         -- how a hand-over ended
  campaign_id   bigint not null,
  number_id     bigint not null,
  at            timestamptz not null,
  seq           int not null,
  code          int not null,               -- Meta's error code, 0 for none
  attempt       smallint not null,
  outcome       smallint not null,
  wamid         text,
  primary key (campaign_id, seq, attempt)
) partition by range (campaign_id);

-- ---------------------------------------------------------------- receipts and money

create table receipt_stream (               -- one per receiving process
  stream        bigint primary key,
  started_at    timestamptz not null default now()
);

create table receipt_batch (                -- raw signed bodies, one row per flush; partitioned by day for retention
  stream        bigint not null,            -- the receiving process; it alone numbers k, in commit order
  k             bigint not null,
  day           date not null,
  received_at   timestamptz not null,
  bodies        bytea compression lz4 not null,   -- per body: 4 bytes length, big-endian, and the bytes
  count         int not null,
  primary key (stream, k, day)
) partition by range (day);

create table fold_log (                     -- each fold appends; the key is the fence between folders
  k             bigint primary key,
  stream        bigint not null,
  upto          bigint not null,
  day           date not null,
  at            timestamptz not null default clock_timestamp()
);

create table receipt_flow (                 -- when a number's receipts last came: without that, silence proves nothing
  number_id     bigint primary key,
  received_at   timestamptz not null
) with (fillfactor = 50);

create table standing (                     -- the furthest state of a message; fixed width, only its key indexed
  campaign_id   bigint not null,
  sent_at       timestamptz,
  delivered_at  timestamptz,
  read_at       timestamptz,
  failed_at     timestamptz,
  rate_id       bigint,
  seq           int not null,
  code          int not null default 0,
  charge_day    date,                       -- in the account's zone
  attempt       smallint not null,
  standing      smallint not null,
  category      smallint,
  pricing_type  smallint,
  market        smallint,
  charge        smallint not null default 0,  -- 0 none, 1 charged, 2 free, 3 unpriced
  primary key (campaign_id, seq, attempt)
) partition by range (campaign_id);

create table stray_receipt (                -- for messages that are not ours or lost their key: kept, counted
  stray_id      bigint generated always as identity primary key,
  at            timestamptz not null default now(),
  reason        text not null,
  receipt       jsonb not null
);

create table rate_card (
  rate_card_id  bigint generated always as identity primary key,
  currency      text not null,
  effective_from date not null,             -- from midnight in the account's zone
  source        text not null,
  complete      boolean not null,           -- holds every market; a partial card only overrides
  loaded_at     timestamptz not null default now(),
  unique (currency, effective_from)
);
create table rate (
  rate_id       bigint generated always as identity primary key,
  rate_card_id  bigint not null references rate_card,
  market        smallint not null,
  category      smallint not null,
  amount        numeric not null check (amount >= 0),
  unique (rate_card_id, market, category)
);

create table posting (                      -- the ledger: insert-only, count x rate
  posting_id    bigint generated always as identity primary key,
  fold_k        bigint not null,
  business_id   bigint not null,
  campaign_id   bigint not null,
  number_id     bigint not null,
  rate_id       bigint,
  count         bigint not null,
  amount        numeric not null,
  day           date not null,
  currency      text not null,
  market        smallint not null,
  category      smallint,                   -- null: no receipt named it, so it is unpriced
  pricing_type  smallint not null,
  charge        smallint not null
);
create index posting_campaign on posting (campaign_id);
create index posting_day on posting (business_id, day);

-- ---------------------------------------------------------------- control work

create table job (
  job_id        bigint generated always as identity primary key,
  kind          text not null,
  key           text not null,              -- one open job per kind and key
  payload       jsonb not null default '{}',
  due_at        timestamptz not null default now(),
  attempts      int not null default 0,
  lease_until   timestamptz,
  node          bigint,
  last_error    text,
  created_at    timestamptz not null default now(),
  ended_at      timestamptz
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200);
create unique index job_open on job (kind, key) where ended_at is null;
create index job_due on job (due_at) where ended_at is null;

create table idempotency (
  business_id   bigint not null,
  key           text not null,
  request       bytea not null,             -- SHA-256 of method, path and body
  status        int,                        -- null while the first request runs
  answer        bytea,
  at            timestamptz not null default now(),
  primary key (business_id, key)
);

create table audit (
  audit_id      bigint generated always as identity primary key,
  business_id   bigint not null,
  at            timestamptz not null default clock_timestamp(),
  actor         text not null,
  action        text not null,
  subject       text not null default '',
  detail        jsonb not null default '{}'
);

-- ---------------------------------------------------------------- partitions

-- Makes a month's partitions when they are missing. Called by `qafila migrate` and before a campaign id is allotted.
create function ensure_month(_month int) returns void language plpgsql as $$
declare
  part record;
  suffix text := to_char(make_date(_month / 12, _month % 12 + 1, 1), 'YYYYMM');
begin
  if to_regclass(format('recipient_%s', suffix)) is not null then return; end if;
  perform pg_advisory_xact_lock(7220, _month);
  for part in select * from (values
      ('recipient', ''), ('exclusion', ''), ('skip', ''), ('fact', ''), ('standing', 'with (fillfactor = 45)')
    ) as p (name, options)
  loop
    execute format('create table if not exists %I partition of %I for values from (%s) to (%s) %s',
      part.name || '_' || suffix, part.name, _month::bigint << 32, (_month + 1)::bigint << 32, part.options);
  end loop;
end $$;

-- Makes the daily partitions of raw receipts from one day before to seven days after.
create function ensure_days(_today date) returns void language plpgsql as $$
declare
  d date;
begin
  if to_regclass('receipt_batch_' || to_char(_today + 7, 'YYYYMMDD')) is not null then return; end if;
  perform pg_advisory_xact_lock(7221);
  for d in select generate_series(_today - 1, _today + 7, '1 day')::date loop
    execute format('create table if not exists %I partition of receipt_batch for values from (%L) to (%L)',
      'receipt_batch_' || to_char(d, 'YYYYMMDD'), d, d + 1);
  end loop;
end $$;

-- Allots a campaign's id from this month's block.
create function next_campaign_id() returns bigint language plpgsql as $$
declare
  _month int := extract(year from now() at time zone 'UTC')::int * 12 + extract(month from now() at time zone 'UTC')::int - 1;
  _used bigint;
begin
  perform ensure_month(_month);
  insert into campaign_block as b (month, used) values (_month, 1)
  on conflict (month) do update set used = b.used + 1 returning used into _used;
  return (_month::bigint << 32) + _used;
end $$;

-- ---------------------------------------------------------------- what users see

-- One row per recipient and attempt (the newest attempt is the person's), with the state's number of Domain.RecipientState.
-- Always filtered by campaign_id, which prunes the partitions.
create view message as
select r.campaign_id, r.seq, r.contact_id, r.phone, coalesce(f.attempt, s.attempt) as attempt, f.number_id, f.at as handed_at, f.outcome, f.code as refusal,
  f.wamid, s.standing, s.sent_at, s.delivered_at, s.read_at, s.failed_at, s.code as failure, s.category, s.pricing_type,
  s.market, s.charge, s.rate_id, s.charge_day, k.reason as skip_reason, d.due_at, d.reason as hold_reason,
  case
    when s.standing >= 40 then 11
    when s.standing = 30 then 10
    when s.standing = 20 then 12
    when s.standing = 10 then 9
    when f.outcome = 5 then 7
    when f.outcome = 4 then 8
    when f.outcome = 1 then 5
    when f.outcome = 2 then 6
    when k.seq is not null then 4
    when d.seq is not null and (f.attempt is null or d.attempt > f.attempt) then case when d.reason = 1 then 2 else 3 end
    when f.outcome = 3 then 12
    else 2
  end::smallint as state
from recipient r
left join fact f on f.campaign_id = r.campaign_id and f.seq = r.seq
left join standing s on s.campaign_id = r.campaign_id and s.seq = r.seq and s.attempt = coalesce(f.attempt, s.attempt)
left join skip k on k.campaign_id = r.campaign_id and k.seq = r.seq
left join due d on d.campaign_id = r.campaign_id and d.seq = r.seq;

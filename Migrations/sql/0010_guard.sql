-- What the guard watches: observations of numbers, templates and accounts with their time and source, and counts of outcomes.

-- A number's colour and since when; when the next look is due. One row per number: not the hot path.
alter table number add column quality_since timestamptz not null default now();
alter table number add column watch_due timestamptz not null default now();

create table template_observation (         -- the history of a template
  template_id   bigint not null,
  at            timestamptz not null default clock_timestamp(),
  source        text not null,
  observation   jsonb not null,
  primary key (template_id, at)
);

create table account_observation (          -- what Meta said of an account, its portfolio or its token
  observation_id bigint generated always as identity primary key,
  business_id   bigint not null,
  account_id    bigint not null,
  at            timestamptz not null default clock_timestamp(),
  source        text not null,
  observation   jsonb not null
);
create index account_observation_account on account_observation (account_id, at);

-- Outcomes as deltas, appended by whoever records them and added up by the guard; `tally_fold` replaces many rows of a
-- campaign by their sums, so that a look costs the same after a million messages.
create table outcome_tally (
  campaign_id   bigint not null,
  number_id     bigint not null,
  count         bigint not null,
  code          int not null default 0,     -- Meta's error code of a failure
  kind          smallint not null           -- 1 delivered, 2 read, 3 failed, 4 refused, 5 opted out
);
create index outcome_tally_campaign on outcome_tally (campaign_id);

create function tally_fold(_campaign bigint) returns void language sql as $$
  with old as (
    delete from outcome_tally where campaign_id = _campaign returning number_id, kind, code, count
  )
  insert into outcome_tally (campaign_id, number_id, count, code, kind)
  select _campaign, number_id, sum(count), code, kind from old group by number_id, kind, code
$$;

-- Opens a guard's pause unless the same rule stands open over the same scope. Answers whether it did.
create function guard_pause(
  _business bigint, _scope smallint, _scope_id bigint, _rule text, _reason text, _evidence jsonb
) returns boolean language sql as $$
  with p as (
    insert into pause (business_id, scope, scope_id, cause, rule, reason, evidence, actor)
    select _business, _scope, _scope_id, 'guard', _rule, _reason, _evidence, 'qafila'
    where not exists (select from open_pause where scope = _scope and scope_id = _scope_id and rule = _rule)
    returning scope, scope_id
  ), e as (
    insert into campaign_event (campaign_id, event, actor, reason, evidence)
    select scope_id, 'paused', 'qafila', _reason, _evidence || jsonb_build_object('rule', _rule) from p where scope = 7
  )
  select exists (select from p)
$$;

-- Webhooks about accounts that were applied: Meta repeats them for up to 7 days, and a repeated pause must not undo an
-- operator's resume.
create table notice_seen (
  digest        bytea primary key,
  at            timestamptz not null default now()
);

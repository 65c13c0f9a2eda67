-- Consent in people's own words: a hold until a doubt is cleared, the replies we owe, tasks for people, a business's words.

-- A business's own stop words. The key is the folded phrase, so that two spellings of one are one.
create table stop_word (
  business_id   bigint not null references business,
  phrase        text not null,
  written       text not null,
  verdict       smallint not null,
  by            text not null,
  at            timestamptz not null default now(),
  primary key (business_id, phrase)
);

-- What a business wants said when somebody stops or is asked; the newest row holds.
create table reply_setting (
  business_id   bigint not null references business,
  version       bigint generated always as identity,
  setting       jsonb not null,
  by            text not null,
  at            timestamptz not null default now(),
  primary key (business_id, version)
);

-- A message owed to somebody who wrote to us: written in the commit that stored their message, sent as a recipient of the
-- number's standing campaign of confirmations.
create table reply (
  reply_id        bigint generated always as identity primary key,
  business_id     bigint not null,
  person_key      uuid not null,
  phone           bigint,                   -- null once erased
  phone_number_id text not null,            -- Meta's id of the number that was written to
  kind            smallint not null,        -- 1 question, 2 confirmation
  language        text not null,
  said_at         timestamptz not null,     -- opens the 24 hours in which we may answer
  created_at      timestamptz not null default clock_timestamp(),
  ended_at        timestamptz,
  end_reason      text,                     -- queued, late, off, no_number
  campaign_id     bigint,
  seq             int
);
create index reply_waiting on reply (reply_id) where ended_at is null;
create index reply_person on reply (business_id, person_key, created_at);

-- What a person must look at: somebody wants their data gone, or said stop and nobody knows who they are.
create table consent_task (
  task_id       bigint generated always as identity primary key,
  business_id   bigint not null,
  kind          text not null,              -- erasure, stop_unmatched
  person_key    uuid not null,
  evidence      jsonb not null default '{}',
  at            timestamptz not null default clock_timestamp(),
  done_at       timestamptz,
  done_by       text
);
create unique index consent_task_open on consent_task (business_id, kind, person_key) where done_at is null;

-- A campaign of confirmations has no template.
alter table campaign alter column template_id drop not null;
-- One standing campaign of confirmations a number and month.
create unique index campaign_confirmations on campaign (numbers, (campaign_id >> 32)) where kind = 4;

-- Doubts that wait for an answer.
create index consent_hold on consent (recorded_at) where event = 3;

-- As before, with a third event: a hold stops like a stop until somebody says more.
create or replace function record_consent(
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
    -- A start for everything re-opens both scopes; any other word touches its own. In one call the later word wins, then
    -- the stricter.
    select distinct on (person_key, scope) person_key, scope, event, source_at, consent_id from (
      select person_key, scope, event, source_at, consent_id from said
      union all
      select person_key, 1::smallint, event, source_at, consent_id from said where scope = 2 and event = 2
    ) u
    order by person_key, scope, source_at desc, event = 2, event, consent_id desc
  ), changed as (
    insert into suppression as s (business_id, person_key, scope, active, at, consent_id)
    select _business, person_key, scope, event <> 2, source_at, consent_id from effect order by person_key, scope
    on conflict (business_id, person_key, scope) do update
      set active = excluded.active, at = excluded.at, consent_id = excluded.consent_id
      where excluded.at > s.at or (excluded.at = s.at and excluded.active and not s.active)
    returning 1
  )
  select count(*)::int from said
$$;

-- Queues what we owe to people for what they just said, before it is recorded: a stop is confirmed once, a doubt asked
-- about once, and a repeated or late delivery of the same message owes nothing. At most `_most` a day to one person, so
-- that two machines cannot talk to each other for ever.
create function owe_replies(
  _business bigint, _people uuid[], _phones bigint[], _numbers text[], _kinds smallint[], _languages text[],
  _said_at timestamptz[], _most int
) returns void language sql as $$
  insert into reply (business_id, person_key, phone, phone_number_id, kind, language, said_at)
  select distinct on (x.p) _business, x.p, x.ph, x.n, x.k, x.l, x.at
  from unnest(_people, _phones, _numbers, _kinds, _languages, _said_at) as x (p, ph, n, k, l, at)
  where not exists (
      select from suppression s left join consent c using (consent_id)
      where s.business_id = _business and s.person_key = x.p
        and (s.at > x.at or (s.active and (x.k = 1 or s.scope = 2 or c.event is distinct from 3)))
    ) and (
      select count(*) from reply r where r.business_id = _business and r.person_key = x.p
        and r.created_at > clock_timestamp() - interval '24 hours'
    ) < _most
  order by x.p, x.k desc, x.at
$$;

-- Other names of a person, all of them keyed hashes: a `wa_id` that Meta answered beside the phone we wrote to, a user id
-- that stood beside a phone. What is said under one name holds for all.
create table person_alias (
  business_id   bigint not null,
  alias         uuid not null,
  person_key    uuid not null,
  at            timestamptz not null default clock_timestamp(),
  primary key (business_id, alias, person_key)
);
create index person_alias_person on person_alias (business_id, person_key);

-- Every name of some people, with the one it was reached from; themselves too.
create function names_of(_business bigint, _people uuid[]) returns table (origin uuid, name uuid)
language sql stable rows 10 as $$
  with recursive n (origin, name) as (
    select distinct p, p from unnest(_people) p
    union
    select n.origin, x.other from n cross join lateral (
      select person_key from person_alias a where a.business_id = _business and a.alias = n.name
      union all
      select alias from person_alias a where a.business_id = _business and a.person_key = n.name
    ) x (other)
  )
  select origin, name from n
$$;

-- As before, and a word holds for all names of whoever said it. The shared locks keep it from missing a name that is being
-- learnt in the same moment; 64 of them, in order, so that nobody waits in a circle.
create or replace function record_consent(
  _business bigint, _people uuid[], _scopes smallint[], _events smallint[], _sources smallint[], _evidence jsonb[],
  _source_at timestamptz[]
) returns int language sql as $$
  select count(pg_advisory_xact_lock_shared(7224, b))
  from (select distinct hashtext(p::text) & 63 as b from unnest(_people) p order by 1) x;

  with said as (
    insert into consent (business_id, person_key, scope, event, source, evidence, source_at)
    -- A clock that runs ahead must not outvote later words.
    select _business, p, s, e, so, ev, least(at, clock_timestamp())
    from unnest(_people, _scopes, _events, _sources, _evidence, _source_at) as x (p, s, e, so, ev, at)
    returning consent_id, person_key, scope, event, source_at
  ), meant as (
    select n.name as person_key, scope, event, source_at, consent_id
    from said join names_of(_business, _people) n on n.origin = said.person_key
  ), effect as (
    -- A start for everything re-opens both scopes; any other word touches its own. In one call the later word wins, then
    -- the stricter.
    select distinct on (person_key, scope) person_key, scope, event, source_at, consent_id from (
      select person_key, scope, event, source_at, consent_id from meant
      union all
      select person_key, 1::smallint, event, source_at, consent_id from meant where scope = 2 and event = 2
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

-- Learns that two keys are one person; what was said under either holds for both from this commit on. Answers how many
-- pairs were new. A transaction of its own: its locks keep out who records a word of these people.
create function learn_aliases(_business bigint, _aliases uuid[], _people uuid[]) returns int language plpgsql as $$
declare
  fresh int;
begin
  perform from unnest(_aliases, _people) x (a, p) where a <> p and not exists (
    select from person_alias k where k.business_id = _business and k.alias = a and k.person_key = p);
  if not found then return 0; end if;
  perform pg_advisory_xact_lock(7224, b)
    from (select distinct hashtext(p::text) & 63 as b from unnest(_aliases || _people) p order by 1) x;
  insert into person_alias (business_id, alias, person_key)
  select distinct _business, a, p from unnest(_aliases, _people) x (a, p) where a <> p order by a, p
  on conflict do nothing;
  get diagnostics fresh = row_count;
  insert into suppression as s (business_id, person_key, scope, active, at, consent_id)
  select distinct on (n.origin, o.scope) _business, n.origin, o.scope, o.active, o.at, o.consent_id
  from names_of(_business, _aliases || _people) n
  join suppression o on o.business_id = _business and o.person_key = n.name
  order by n.origin, o.scope, o.at desc, o.active desc, o.consent_id desc
  on conflict (business_id, person_key, scope) do update
    set active = excluded.active, at = excluded.at, consent_id = excluded.consent_id
    where excluded.at > s.at or (excluded.at = s.at and excluded.active and not s.active);
  return fresh;
end $$;

-- The same for messages that are known by their places; nothing is learnt of whoever was erased.
create function learn_recipients(_business bigint, _campaigns bigint[], _seqs int[], _aliases uuid[]) returns int
language sql as $$
  select learn_aliases(_business, array_agg(x.a), array_agg(r.person_key))
  from unnest(_campaigns, _seqs, _aliases) x (c, s, a)
  cross join lateral (
    select person_key from recipient r where r.campaign_id = x.c and r.seq = x.s
      and exists (select from contact k where k.contact_id = r.contact_id)
  ) r
  having count(*) > 0
$$;

-- People in 24 hours: Meta lets a portfolio write to so many different people outside an open service window, over all its
-- campaigns, numbers and nodes; a number that warms up has a limit of its own for each local day. The gate books whom it lets
-- through, in the commit that writes their touch. Nothing of this is done for a portfolio without a limit.

alter table number add column warm_up jsonb;        -- {"start", "growth", "until"}; null: none
alter table number add column warm_up_from date;    -- its first day, in the account's zone

create table reach (                        -- a message that counts: handed over outside the person's service window
  campaign_id   bigint not null,
  seq           int not null,
  attempt       smallint not null,
  contact_id    bigint not null,
  number_id     bigint not null,
  portfolio_id  bigint not null,
  until         timestamptz not null,       -- the end of its five minutes, a day later
  day_until     timestamptz,                -- the end of the number's local day, when it was warming up
  primary key (campaign_id, seq, attempt)
);
create index reach_person on reach (contact_id);

-- How many people stand in each bucket: a person in that of their latest message alone, so that the sum of those not over
-- is the number of people. A credit goes to the bucket of the debit and expires with it.
create table people_used (
  scope         smallint not null check (scope in (2, 5)),   -- portfolio, number (by day)
  scope_id      bigint not null,
  until         timestamptz not null,
  people        int not null,
  primary key (scope, scope_id, until)
) with (fillfactor = 50);

-- Until when a message of `_at` counts. A minute on top: it is gated before it is at Meta's.
create function people_until(_at timestamptz) returns timestamptz language sql immutable as $$
  select date_bin('5 minutes', _at + interval '1 minute', '2000-01-01 00:00:00+00') + interval '5 minutes 24 hours'
$$;

-- Meta's word for a limit, as a number; null for none and for words not known.
create function tier_people(_tier text) returns int language sql immutable as $$
  select case when _tier ~ '^(TIER_)?[0-9]{1,6}K?$' then
    (substring(_tier from '[0-9]+')::int * case when _tier like '%K' then 1000 else 1 end) end
$$;

create function people_standing(_scope smallint, _id bigint, _now timestamptz default clock_timestamp()) returns int
language sql stable as $$
  select coalesce(sum(people), 0)::int from people_used where scope = _scope and scope_id = _id and until > _now
$$;

-- When the first place comes free of a limit that is used up; null while it is not.
create function people_free_at(_scope smallint, _id bigint, _limit int, _now timestamptz default clock_timestamp())
returns timestamptz language sql stable as $$
  select min(until) from (
    select until, sum(people) over () - sum(people) over (order by until) as later, sum(people) over () as used
    from people_used where scope = _scope and scope_id = _id and until > _now
  ) u where used >= _limit and later < _limit
$$;

-- How many people may be added now: to the portfolio, and to the number today; null without a limit. Takes the portfolio's
-- lock until the caller's commit, which books them; whoever waited for it sees what the one before has booked, because
-- each statement in here looks anew. Nobody to add: no lock.
create function people_room(
  _portfolio bigint, _number bigint, _limit int, _daily int, _day_until timestamptz, _asks boolean,
  _now timestamptz default clock_timestamp(), out people int, out today int
) language plpgsql as $$
begin
  if not _asks then return; end if;
  perform 1 from portfolio where portfolio_id = _portfolio for no key update;
  if _limit is not null then people := greatest(0, _limit - people_standing(2::smallint, _portfolio, _now)); end if;
  if _daily is not null then
    today := greatest(0, _daily - coalesce(
      (select u.people from people_used u where scope = 5 and scope_id = _number and until = _day_until), 0));
  end if;
end $$;

-- Books messages that were let through. Somebody who was counted already moves to the bucket of now: Meta counts them until
-- a day after their latest message. Under the lock of `people_room`.
create function people_book(
  _portfolio bigint, _number bigint, _day_until timestamptz, _campaigns bigint[], _seqs int[], _attempts smallint[],
  _contacts bigint[], _now timestamptz default clock_timestamp()
) returns int language plpgsql as $$
declare
  _until timestamptz := people_until(_now);
begin
  if cardinality(_contacts) = 0 then return 0; end if;
  -- Somebody counted already asked for no room.
  perform 1 from portfolio where portfolio_id = _portfolio for no key update;
  with one as (
    select * from unnest(_campaigns, _seqs, _attempts, _contacts) x (campaign_id, seq, attempt, contact_id)
  ), person as (
    select p.contact_id, (select max(r.until) from reach r where r.contact_id = p.contact_id
        and r.portfolio_id = _portfolio and r.until > _now) as was,
      exists (select from reach r where r.contact_id = p.contact_id and r.number_id = _number
        and r.day_until = _day_until) as met
    from (select distinct contact_id from one) p
  ), wrote as (
    insert into reach (campaign_id, seq, attempt, contact_id, number_id, portfolio_id, until, day_until)
    select campaign_id, seq, attempt, contact_id, _number, _portfolio, _until, _day_until from one
    order by campaign_id, seq, attempt
    on conflict (campaign_id, seq, attempt) do update
      set until = excluded.until, day_until = excluded.day_until, number_id = excluded.number_id
  ), change (scope, scope_id, until, people) as (
    select 2, _portfolio, _until, 1 from person where was is null or was < _until
    union all select 2, _portfolio, was, -1 from person where was < _until
    union all select 5, _number, _day_until, 1 from person where not met and _day_until is not null
  )
  insert into people_used as u (scope, scope_id, until, people)
  select scope, scope_id, until, sum(people) from change group by 1, 2, 3 order by 1, 2, 3
  on conflict (scope, scope_id, until) do update set people = u.people + excluded.people;
  return cardinality(_contacts);
end $$;

-- What became of messages: `_delivered` null, it failed and the person is given back, unless another message still counts
-- them; delivered later than it counts until, it counts from then on.
create function people_settle(
  _campaigns bigint[], _seqs int[], _attempts smallint[], _delivered timestamptz[],
  _now timestamptz default clock_timestamp()
) returns int language plpgsql as $$
declare
  _portfolio bigint;
  _count int := 0;
begin
  for _portfolio in
    select distinct r.portfolio_id from unnest(_campaigns, _seqs, _attempts, _delivered) x (c, s, a, at)
    join reach r on r.campaign_id = x.c and r.seq = x.s and r.attempt = x.a
    where x.at is null or people_until(x.at) > r.until + interval '1 minute' order by 1
  loop
    perform 1 from portfolio where portfolio_id = _portfolio for no key update;
    with said as materialized (
      select r.campaign_id, r.seq, r.attempt, min(x.at) as at
      from unnest(_campaigns, _seqs, _attempts, _delivered) x (c, s, a, at)
      join reach r on r.campaign_id = x.c and r.seq = x.s and r.attempt = x.a
      where r.portfolio_id = _portfolio and (x.at is null or people_until(x.at) > r.until + interval '1 minute')
      group by 1, 2, 3
    ), gone as (
      delete from reach r using said s
      where r.campaign_id = s.campaign_id and r.seq = s.seq and r.attempt = s.attempt and s.at is null
      returning r.*
    ), later as (
      update reach r set until = people_until(s.at) from said s
      where r.campaign_id = s.campaign_id and r.seq = s.seq and r.attempt = s.attempt and s.at is not null
      returning r.*
    ), person as (
      select p.contact_id, (select max(r.until) from reach r where r.contact_id = p.contact_id
          and r.portfolio_id = _portfolio and r.until > _now) as was,
        (select max(u.until) from (
          select r.until from reach r where r.contact_id = p.contact_id and r.portfolio_id = _portfolio
            and not exists (select from said s where s.campaign_id = r.campaign_id and s.seq = r.seq and s.attempt = r.attempt)
          union all select l.until from later l where l.contact_id = p.contact_id
        ) u where u.until > _now) as becomes
      from (select contact_id from gone union select contact_id from later) p
    ), change (scope, scope_id, until, people) as (
      select 2, _portfolio, was, -1 from person where was is distinct from becomes and was is not null
      union all select 2, _portfolio, becomes, 1 from person where was is distinct from becomes and becomes is not null
      union all
      select 5, number_id, day_until, -1 from (
        select distinct g.number_id, g.day_until, g.contact_id from gone g where g.day_until > _now
          and not exists (select from reach r where r.contact_id = g.contact_id and r.number_id = g.number_id
            and r.day_until = g.day_until and not exists (select from gone o where o.campaign_id = r.campaign_id
              and o.seq = r.seq and o.attempt = r.attempt))
      ) d
    )
    insert into people_used as u (scope, scope_id, until, people)
    select scope, scope_id, until, sum(people) from change group by 1, 2, 3 order by 1, 2, 3
    on conflict (scope, scope_id, until) do update set people = u.people + excluded.people;
    _count := _count + 1;
  end loop;
  return _count;
end $$;

-- Counts a portfolio's last day from its touches: it had no limit until now.
create function people_recount(_portfolio bigint) returns void language plpgsql as $$
begin
  perform 1 from portfolio where portfolio_id = _portfolio for no key update;
  insert into reach (campaign_id, seq, attempt, contact_id, number_id, portfolio_id, until)
  select distinct on (t.campaign_id, t.seq, t.attempt) t.campaign_id, t.seq, t.attempt, t.contact_id, t.number_id, _portfolio,
    people_until(t.at)
  from touch t join number n using (number_id) join account a using (account_id)
  where a.portfolio_id = _portfolio and t.at > clock_timestamp() - interval '24 hours'
    and not exists (select from standing s where s.campaign_id = t.campaign_id and s.seq = t.seq
      and s.attempt = t.attempt and s.standing = 20)
  order by t.campaign_id, t.seq, t.attempt, t.n desc
  on conflict do nothing;
  delete from people_used where scope = 2 and scope_id = _portfolio;
  insert into people_used (scope, scope_id, until, people)
  select 2, _portfolio, until, count(*) from (
    select contact_id, max(until) as until from reach where portfolio_id = _portfolio and until > clock_timestamp() group by 1
  ) p group by until;
end $$;

-- Whoever waits for a place looks again: there may be one.
create function people_wait_over(_portfolio bigint) returns void language sql as $$
  update due d set due_at = now()
  from campaign c join account a using (account_id)
  where a.portfolio_id = _portfolio and c.state = 5 and d.campaign_id = c.campaign_id and d.reason = 8 and d.due_at > now()
$$;

-- Meta's newest word on a portfolio's limit, read from one of its numbers: it holds for all of them.
create function note_tier(_number bigint, _tier text) returns void language plpgsql as $$
declare
  _portfolio bigint;
  _was_limited boolean;
begin
  if coalesce(_tier, '') = '' then return; end if;
  select portfolio_id into strict _portfolio from number join account using (account_id) where number_id = _number;
  if not exists (select from number join account using (account_id) where portfolio_id = _portfolio and tier <> _tier) then
    return;
  end if;
  perform 1 from portfolio where portfolio_id = _portfolio for no key update;
  _was_limited := exists (select from number join account using (account_id)
    where portfolio_id = _portfolio and tier_people(tier) is not null);
  update number n set tier = _tier from account a
  where a.account_id = n.account_id and a.portfolio_id = _portfolio and n.tier <> _tier;
  if tier_people(_tier) is not null and not _was_limited then perform people_recount(_portfolio); end if;
  perform people_wait_over(_portfolio);
end $$;

-- A number begins to warm up, in the middle of a day or anew: whom it wrote to since `_day_start` counts for today.
create function begin_warm_up(_number bigint, _day_start timestamptz, _day_until timestamptz) returns void
language plpgsql as $$
declare
  _portfolio bigint;
begin
  select portfolio_id into strict _portfolio from number join account using (account_id) where number_id = _number;
  perform 1 from portfolio where portfolio_id = _portfolio for no key update;
  if not exists (select from number join account using (account_id)
    where portfolio_id = _portfolio and tier_people(tier) is not null) then
    perform people_recount(_portfolio);
  end if;
  update reach set day_until = _day_until
  where number_id = _number and portfolio_id = _portfolio and until > people_until(_day_start);
  delete from people_used where scope = 5 and scope_id = _number;
  insert into people_used (scope, scope_id, until, people)
  select 5, _number, _day_until, count(distinct contact_id) from reach where number_id = _number and day_until = _day_until;
end $$;

-- A message that was not delivered within a week is not counted when it is.
create function forget_reach() returns void language sql as $$
  delete from reach where until < now() - interval '7 days';
  delete from people_used where until < now() - interval '1 day';
$$;

select people_recount(portfolio_id) from portfolio where portfolio_id in (
  select portfolio_id from number join account using (account_id) where tier_people(tier) is not null);

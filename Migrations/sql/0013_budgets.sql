-- Budgets: what may be reserved for a campaign, or for a number or a portfolio in each month. A lane's owner draws from a
-- budget in blocks (allotments) and its claims spend them, so that nodes share one limit exactly, in tens of writes.

create table budget (
  budget_id     bigint generated always as identity primary key,
  business_id   bigint not null references business,
  scope         smallint not null check (scope in (2, 5, 7)),   -- portfolio, number, campaign
  scope_id      bigint not null,
  currency      text,                       -- null: the amount is a count of messages
  amount        numeric not null check (amount > 0),
  by            text not null,
  at            timestamptz not null default now(),
  unique (scope, scope_id)
);

create table pool (                         -- what was drawn from a budget: a campaign has one, others one a month
  pool_id       bigint generated always as identity primary key,
  budget_id     bigint not null references budget,
  month         date,                       -- in the account's zone; null for a campaign
  used          numeric not null default 0, -- drawn, less what came back, plus what charges exceeded their reservation by
  warned        smallint not null default 0,
  short_since   timestamptz,                -- lanes ask and get nothing
  short_of      numeric,
  unique nulls not distinct (budget_id, month)
) with (fillfactor = 50);

create table allotment (                    -- a block in the hands of a lane's owner; below zero: it came back
  allotment_id  bigint generated always as identity primary key,
  pool_id       bigint not null references pool,
  number_id     bigint not null,
  epoch         int not null,               -- of a lane that is not of this epoch any more: null, an error, nothing drawn
  amount        numeric not null,
  closed        boolean not null default false,
  at            timestamptz not null default clock_timestamp()
);
create index allotment_pool on allotment (pool_id, number_id, epoch);
create index allotment_open on allotment (number_id, epoch) where not closed;

-- A claim's reservation: how much by pool (`reserved` money, `people` messages), and the price of each position as runs of
-- equal prices; null where nobody was claimed.
alter table lane_log add column pools bigint[];
alter table lane_log add column people int;
alter table lane_log add column prices numeric[];
alter table lane_log add column counts int[];
create index lane_log_reserved on lane_log (campaign_id) where pools is not null or kind = 2;

create table pool_return (                  -- what a campaign's messages gave back to a pool, or took beyond it
  pool_id       bigint not null references pool,
  campaign_id   bigint not null,
  released      numeric not null default 0,
  overrun       numeric not null default 0,
  primary key (pool_id, campaign_id)
) with (fillfactor = 50);

-- Draws a block for a lane: a quarter of an even share of what is left, whole messages of `_price`; zero when not even one
-- is left. The budget's row is the only lock, and everything after it sees what the one before has drawn.
create function draw_allotment(_pool bigint, _number bigint, _epoch int, _lanes int, _price numeric) returns numeric
language plpgsql as $$
declare
  _budget budget;
  _left numeric;
  _block numeric;
begin
  select b.* into strict _budget from budget b join pool p using (budget_id) where p.pool_id = _pool for update of b;
  select _budget.amount - used into strict _left from pool where pool_id = _pool;
  if _left < _price then
    update pool set short_since = coalesce(short_since, clock_timestamp()), short_of = _price where pool_id = _pool;
    return 0;
  end if;
  _block := _price * greatest(1, floor(_left / (4 * _lanes) / nullif(_price, 0)));
  _block := coalesce(_block, 0);
  insert into allotment (pool_id, number_id, epoch, amount)
  select _pool, _number,
    (select l.epoch from (select epoch from lane_log where number_id = _number order by k desc limit 1) l
      where l.epoch = _epoch), _block;
  update pool set used = used + _block, short_since = null where pool_id = _pool;
  return _block;
end $$;

-- What a lane's owner holds of a pool and has not spent in claims.
create function unspent_allotment(_pool bigint, _number bigint, _epoch int) returns numeric language sql stable as $$
  select coalesce((select sum(amount) from allotment where pool_id = _pool and number_id = _number and epoch = _epoch), 0)
    - coalesce((
      select sum(case when b.currency is null then l.people else l.reserved end)
      from pool p join budget b using (budget_id), lane_log l
      where p.pool_id = _pool and l.number_id = _number and l.epoch = _epoch and _pool = any(l.pools)
        -- The first row of an epoch is its takeover.
        and l.k > (select coalesce(min(o.k), 0) from lane_log o where o.number_id = _number and o.epoch = _epoch
          and o.kind = 3)), 0)
$$;

-- A lane gives back what it does not use; fenced like the draw.
create function return_allotment(_pool bigint, _number bigint, _epoch int, _amount numeric) returns numeric
language plpgsql as $$
begin
  perform 1 from budget b join pool p using (budget_id) where p.pool_id = _pool for update of b;
  insert into allotment (pool_id, number_id, epoch, amount)
  select _pool, _number,
    (select l.epoch from (select epoch from lane_log where number_id = _number order by k desc limit 1) l
      where l.epoch = _epoch), -_amount;
  update pool set used = used - _amount where pool_id = _pool;
  return _amount;
end $$;

-- Gives back what owners that are gone had drawn and not spent. Their epoch can't claim any more: the sum is final.
create function reclaim_allotments() returns numeric language plpgsql as $$
declare
  _held record;
  _rest numeric;
  _sum numeric := 0;
begin
  for _held in
    select distinct a.pool_id, a.number_id, a.epoch from allotment a
    cross join lateral (select epoch, kind from lane_log l where l.number_id = a.number_id order by k desc limit 1) n
    where not a.closed and (n.epoch > a.epoch or n.kind = 4)
    order by 1, 2, 3
  loop
    perform 1 from budget b join pool p using (budget_id) where p.pool_id = _held.pool_id for update of b;
    update allotment set closed = true
    where pool_id = _held.pool_id and number_id = _held.number_id and epoch = _held.epoch and not closed;
    -- Another node was first.
    continue when not found;
    _rest := unspent_allotment(_held.pool_id, _held.number_id, _held.epoch);
    if _rest <> 0 then
      insert into allotment (pool_id, number_id, epoch, amount, closed)
      values (_held.pool_id, _held.number_id, _held.epoch, -_rest, true);
      update pool set used = used - _rest where pool_id = _held.pool_id;
      _sum := _sum + _rest;
    end if;
  end loop;
  return _sum;
end $$;

-- What a campaign's messages leave of their reservations: given back when they ended without a charge (failed, refused,
-- skipped) or cost less; overrun where Meta's later category or card costs more. Compares with what was booked before.
create function settle_reservations(_campaign bigint) returns void language plpgsql as $$
declare
  _sum record;
  _was pool_return;
begin
  for _sum in
    with part as materialized (
      select l.pools, u.price, l.lo + (sum(u.count) over w)::int - u.count as lo, l.lo + (sum(u.count) over w)::int - 1 as hi
      from lane_log l, unnest(l.prices, l.counts) with ordinality u (price, count, i)
      where l.campaign_id = _campaign and l.kind = 1 and l.pools is not null
      window w as (partition by l.number_id, l.k order by u.i)
    ), charged as (
      select p.pools, p.price, case s.charge when 1 then r.amount when 2 then 0 else p.price end as cost, 0 as free
      from part p join standing s on s.campaign_id = _campaign and s.seq between p.lo and p.hi
      left join rate r on r.rate_id = s.rate_id
      where p.price is not null and s.charge > 0
    ), again as (
      -- On their way a second time: nothing has ended for them.
      select u.seq, max(u.attempt) as attempt from lane_log l, unnest(l.seqs, l.attempts) u (seq, attempt)
      where l.campaign_id = _campaign and l.kind = 2 group by u.seq
    ), ended as (
      select k.seq, 32767 as attempt from skip k where k.campaign_id = _campaign
        and not exists (select from fact f where f.campaign_id = _campaign and f.seq = k.seq and f.outcome <> 3)
      union all
      select f.seq, f.attempt from fact f where f.campaign_id = _campaign and f.outcome = 3
        and not exists (select from fact n where n.campaign_id = _campaign and n.seq = f.seq and n.attempt > f.attempt)
      union all
      select s.seq, s.attempt from standing s where s.campaign_id = _campaign and s.standing = 20
        and not exists (select from fact n where n.campaign_id = _campaign and n.seq = s.seq and n.attempt > s.attempt)
    ), freed as (
      select distinct on (e.seq) p.pools, p.price, 0::numeric as cost, 1 as free
      from ended e join part p on e.seq between p.lo and p.hi left join again a on a.seq = e.seq
      where p.price is not null and coalesce(a.attempt, 0) <= e.attempt
        and not exists (select from due d where d.campaign_id = _campaign and d.seq = e.seq)
        and not exists (select from standing s where s.campaign_id = _campaign and s.seq = e.seq and s.charge > 0)
      order by e.seq
    )
    select q as pool_id,
      sum(case when b.currency is null then x.free else greatest(x.price - x.cost, 0) end) as released,
      sum(case when b.currency is null then 0 else greatest(x.cost - x.price, 0) end) as overrun
    from (select * from charged union all select * from freed) x, unnest(x.pools) q
      join pool o on o.pool_id = q join budget b using (budget_id)
    group by q order by q
  loop
    insert into pool_return (pool_id, campaign_id) values (_sum.pool_id, _campaign) on conflict do nothing;
    select * into strict _was from pool_return where pool_id = _sum.pool_id and campaign_id = _campaign for update;
    continue when _was.released = _sum.released and _was.overrun = _sum.overrun;
    update pool_return set released = _sum.released, overrun = _sum.overrun
    where pool_id = _sum.pool_id and campaign_id = _campaign;
    update pool set used = used - (_sum.released - _was.released) + (_sum.overrun - _was.overrun)
    where pool_id = _sum.pool_id;
  end loop;
end $$;

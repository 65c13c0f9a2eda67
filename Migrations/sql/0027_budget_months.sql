-- A month's budget also counts what no budget stops: urgent messages and confirmations. They reserve nothing, so what they
-- were charged is taken from what campaigns may reserve.

alter table pool_return add column charged numeric not null default 0;

-- Brings every month's pool up to what those messages were charged so far in the month, in the currency of the budget, or
-- one for each where it counts messages. The budget's row is the lock, as it is for draws.
create function charge_unreserved() returns void language plpgsql as $$
declare
  _budget record;
  _sum record;
  _pool bigint;
  _was numeric;
begin
  for _budget in
    select b.*, m.month from budget b cross join lateral (
      select date_trunc('month', now() at time zone a.zone)::date as month from account a left join number n using (account_id)
      where (b.scope = 5 and n.number_id = b.scope_id) or (b.scope = 2 and a.portfolio_id = b.scope_id) limit 1
    ) m
    where b.scope in (2, 5) order by b.budget_id
  loop
    perform 1 from budget where budget_id = _budget.budget_id for update;
    -- Summed behind the lock, so that of two nodes the later one also counts later.
    for _sum in
      select p.campaign_id, case when _budget.currency is null then sum(p.count) else sum(p.amount) end as charged
      from campaign c join posting p on p.campaign_id = c.campaign_id
      where c.business_id = _budget.business_id and c.kind in (3, 4)
        and p.day >= _budget.month and p.day < _budget.month + interval '1 month'
        and (_budget.currency is null or p.currency = _budget.currency)
        and ((_budget.scope = 5 and p.number_id = _budget.scope_id) or (_budget.scope = 2
          and p.account_id in (select account_id from account a where a.portfolio_id = _budget.scope_id)))
      group by 1
    loop
      insert into pool (budget_id, month) values (_budget.budget_id, _budget.month) on conflict do nothing;
      select pool_id into strict _pool from pool where budget_id = _budget.budget_id and month = _budget.month;
      insert into pool_return (pool_id, campaign_id) values (_pool, _sum.campaign_id) on conflict do nothing;
      select charged into strict _was from pool_return where pool_id = _pool and campaign_id = _sum.campaign_id;
      continue when _was = _sum.charged;
      update pool_return set charged = _sum.charged where pool_id = _pool and campaign_id = _sum.campaign_id;
      update pool set used = used + (_sum.charged - _was) where pool_id = _pool;
    end loop;
  end loop;
end $$;

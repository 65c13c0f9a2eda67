-- What refusals leave behind: how often a message was put off, and people whom Meta holds for a day.

-- Beside `seqs` and `attempts`: how often each was refused and waited before, so that its back-off grows over restarts.
alter table lane_log add column times smallint[];

-- "Who was written to in the last minutes": touches are appended in time's order, so a block range index of a few pages
-- answers it, and no insert pays for it.
create index touch_at on touch using brin (at) with (pages_per_range = 32, autosummarize = on);

-- `state` is the attempt's; `person_state` is where the person stands: held again after an attempt that Meta refused.
create or replace view message as
select r.campaign_id, r.seq, r.contact_id, r.phone, coalesce(f.attempt, s.attempt) as attempt, f.number_id, f.at as handed_at, f.outcome, f.code as refusal,
  f.wamid, s.standing, s.sent_at, s.delivered_at, s.read_at, s.failed_at, s.code as failure, s.category, s.pricing_type,
  s.market, s.charge, s.rate_id, s.charge_day, k.reason as skip_reason, d.due_at, d.reason as hold_reason,
  a.state,
  case when d.attempt > f.attempt then case when d.reason = 1 then 2 else 3 end else a.state end::smallint as person_state
from recipient r
left join fact f on f.campaign_id = r.campaign_id and f.seq = r.seq
left join standing s on s.campaign_id = r.campaign_id and s.seq = r.seq and s.attempt = coalesce(f.attempt, s.attempt)
left join skip k on k.campaign_id = r.campaign_id and k.seq = r.seq
left join due d on d.campaign_id = r.campaign_id and d.seq = r.seq
cross join lateral (
  select case
    when s.standing >= 40 then 11
    when s.standing = 30 then 10
    when s.standing = 20 then 12
    when s.standing = 10 then 9
    when f.outcome = 5 then 7
    when f.outcome = 4 then 8
    when f.outcome = 1 then 5
    when f.outcome = 2 then 6
    when f.outcome = 3 then 12
    when k.seq is not null then 4
    when d.seq is not null then case when d.reason = 1 then 2 else 3 end
    else 2
  end::smallint as state
) a;

-- How a campaign's pace is divided over its numbers: append-only, the newest version is wanted, those before hold what may
-- rise (Governor.PaceShares). Written when the pace, or which numbers can be used, changes: tens of rows per campaign.
create table pace_share (
  campaign_id   bigint not null,
  version       int not null,
  pace          int not null,               -- messages in any window of `seconds`, over all numbers
  seconds       int not null,
  numbers       bigint[] not null,
  shares        int[] not null,             -- their sum is at most the pace; 0: this number hands its people on
  at            timestamptz not null default clock_timestamp(),
  primary key (campaign_id, version)
);

-- A run's hold may end before the run does: a take by number 0 says from where it is free again.
comment on column run_take.number_id is '0: given back, free from from_seq';
comment on column lane_log.kind is '1 claim of a range, 2 claim of due rows, 3 takeover, 4 release, 5 a run given back';

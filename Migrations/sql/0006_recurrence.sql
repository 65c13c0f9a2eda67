-- Campaigns that repeat, and campaigns that go out over days.

alter table run add column opens_at timestamptz;         -- null: with the campaign

create table recurrence (                   -- a launched campaign that repeats: when it is launched next
  campaign_id   bigint primary key,
  next_at       timestamptz not null
);
create index recurrence_next on recurrence (next_at);

create table occurrence (                   -- one row per planned time: its key is what makes a launch the only one
  campaign_id   bigint not null,
  planned_at    timestamptz not null,
  child_id      bigint,                     -- null: missed, because a later time had come as well
  at            timestamptz not null default clock_timestamp(),
  primary key (campaign_id, planned_at)
);

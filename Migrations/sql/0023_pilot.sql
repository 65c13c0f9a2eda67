-- Pilots: a campaign's first people are a sample, frozen in front as runs of their own (`run.wave`, 0 without a pilot). A step
-- may be claimed from once it has its row here; the guard writes the next one when the outcome of those before allows it.
create table pilot_step (
  campaign_id   bigint not null,
  step          smallint not null,          -- from 1; the last has the rest of the people
  people        int not null,               -- of this step and all before it: the positions 1 to `people`
  opened_at     timestamptz not null default clock_timestamp(),
  opened_by     text not null default 'qafila',
  evidence      jsonb not null default '{}',  -- the figures it was opened on
  sent_at       timestamptz,                -- when the last of its people was done
  looks_at      timestamptz,                -- when its outcome is judged next
  primary key (campaign_id, step)
);
comment on column run.wave is 'the step of a pilot, from 1; 0: there is none';

-- What a campaign was judged by, with its time, so that it can be judged again under other rules. Facts and standings have
-- their times already; a stop's stood in a sum alone. One row per commit that heard one: few beside the messages.
create table campaign_stop (
  campaign_id   bigint not null,
  at            timestamptz not null default clock_timestamp(),
  count         int not null
);
create index campaign_stop_campaign on campaign_stop (campaign_id);

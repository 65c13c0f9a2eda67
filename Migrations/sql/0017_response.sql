-- Who answered a campaign, and who pressed one of its buttons: once each. Its sums stand in outcome_tally as kinds
-- 7 (replied) and 8 (clicked). People who answer are few beside those who are written to.
create table response (
  campaign_id   bigint not null,
  number_id     bigint not null,
  seq           int not null,
  kind          smallint not null,
  primary key (campaign_id, seq, kind)
);

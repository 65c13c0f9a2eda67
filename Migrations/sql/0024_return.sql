-- A campaign that a rating had stopped and that went on by its own rule: it began with a part of its pace, which comes back
-- in steps as long as nobody else changes it.
create table pace_return (
  campaign_id   bigint primary key,
  business_id   bigint not null,
  began_at      timestamptz not null default clock_timestamp(),
  pace          jsonb not null,             -- as it was before
  version       int not null,               -- of campaign_setting, the newest that a step wrote
  done_at       timestamptz
);
create index pace_return_open on pace_return (campaign_id) where done_at is null;

-- A rule for the rating lets Meta's own end of a template's pause count too.
create or replace function template_approved(_template bigint) returns void language sql as $$
  with ended as (
    insert into pause_end (pause_id, reason, actor)
    select p.pause_id, 'Meta approves the template again', 'qafila' from open_pause p
    where (p.scope = 6 and p.scope_id = _template and p.rule in ('template_stopped', 'meta_132015', 'meta_132016'))
      or (p.scope = 7 and p.rule = 'template_paused' and exists (
        select from campaign c where c.campaign_id = p.scope_id and c.template_id = _template
          and coalesce(c.spec -> 'guard' ->> 'resume', 'operator') <> 'operator'))
    on conflict do nothing returning pause_id
  )
  insert into campaign_event (campaign_id, event, actor, reason)
  select p.scope_id, 'resumed', 'qafila', 'Meta approves the template again'
  from ended e join pause p using (pause_id) where p.scope = 7
$$;

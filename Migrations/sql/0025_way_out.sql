-- What a look, a webhook and a synchronisation let follow is said once, and a person's word holds until there is news.

-- Since when Meta says of a number what it says: a flag stops it once for each time it is raised.
alter table number add column status_since timestamptz not null default now();

-- Whether news of a rule since `_since` has stopped this scope already, or a person ended its pause since then. Either way
-- somebody has seen it.
create function guard_told(_scope smallint, _scope_id bigint, _rule text, _since timestamptz) returns boolean
language sql stable as $$
  select exists (
    select from pause p left join pause_end e using (pause_id)
    where p.scope = _scope and p.scope_id = _scope_id and p.rule = _rule and (p.at >= _since or e.at >= _since))
$$;

-- Meta does not let the template be sent: it stops, and the campaigns that use it until a person has seen it.
create function template_stopped(_template bigint, _reason text, _evidence jsonb) returns void language sql as $$
  select guard_pause(business_id, 6::smallint, template_id, 'template_stopped', _reason, _evidence)
  from template where template_id = _template;
  select guard_pause(business_id, 7::smallint, campaign_id, 'template_paused', _reason, _evidence)
  from campaign where template_id = _template and state in (3, 4, 5);
$$;

-- It may be sent again: what Meta's own stop had opened over it ends. What it opened over campaigns stays for a person,
-- unless the campaign lets the guard end it.
create function template_approved(_template bigint) returns void language sql as $$
  with ended as (
    insert into pause_end (pause_id, reason, actor)
    select p.pause_id, 'Meta approves the template again', 'qafila' from open_pause p
    where (p.scope = 6 and p.scope_id = _template and p.rule in ('template_stopped', 'meta_132015', 'meta_132016'))
      or (p.scope = 7 and p.rule = 'template_paused' and exists (
        select from campaign c where c.campaign_id = p.scope_id and c.template_id = _template
          and c.spec -> 'guard' ->> 'resume' = 'automatic'))
    on conflict do nothing returning pause_id
  )
  insert into campaign_event (campaign_id, event, actor, reason)
  select p.scope_id, 'resumed', 'qafila', 'Meta approves the template again'
  from ended e join pause p using (pause_id) where p.scope = 7
$$;

-- Marketing is the dearest of the categories a template can get: campaigns launched with another one stop.
create function template_dearer(_template bigint, _category smallint, _reason text, _evidence jsonb) returns void
language sql as $$
  select guard_pause(business_id, 7::smallint, campaign_id, 'template_category', _reason, _evidence)
  from campaign where template_id = _template and state in (3, 4, 5) and _category = 1 and category <> 1
$$;

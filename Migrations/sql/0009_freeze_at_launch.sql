-- A launch freezes the template's text itself, a job the people at once, another starts the campaign at its time. What was
-- launched before gets the text that its template has now, and its start.

update campaign c set frozen = jsonb_build_object(
    'template', jsonb_build_object('name', t.name, 'language', t.language, 'parameter_format', t.parameter_format,
      'version', t.version, 'components', t.components),
    'spec', c.spec)
  from template t where t.template_id = c.template_id and c.state in (3, 4) and c.frozen is null;

insert into job (kind, key, due_at) select 'start', key, due_at from job where kind = 'prepare' and ended_at is null;
update job set due_at = now() where kind = 'prepare' and ended_at is null;

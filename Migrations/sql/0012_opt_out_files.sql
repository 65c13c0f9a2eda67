-- A file of opt-outs goes into no audience.
alter table upload alter column audience_id drop not null;

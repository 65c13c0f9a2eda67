-- How long Meta tries to deliver a template's message, where that was set when the template was made; null: as long as its
-- category's messages live.
alter table template add column ttl_seconds int;

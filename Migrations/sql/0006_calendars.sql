-- Blackout calendars: days and hours in which nobody may be written to. The newest row of a name holds; nothing is changed
-- or removed, so that "why did it wait?" has an answer from the record.

create table calendar (
  calendar_id   bigint generated always as identity primary key,
  business_id   bigint not null references business,
  name          text not null,
  body          text,                       -- the file as it was loaded; null: removed
  lines         int not null default 0,
  by            text not null,
  at            timestamptz not null default clock_timestamp()
);
create index calendar_name on calendar (business_id, name, calendar_id desc);

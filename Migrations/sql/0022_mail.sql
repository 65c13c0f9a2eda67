-- Mail: up to which alert people have been written to, and the digest of each day.

create table mail_place (
  only_row      boolean primary key default true check (only_row),
  upto          bigint not null default 0,  -- alerts up to here are told, or are none that are told by mail
  due_at        timestamptz not null default now(),   -- while one is under way: when another node may take over
  failures      int not null default 0
);
insert into mail_place default values;

create table digest (                       -- one a day, whoever sends it
  day           date primary key,           -- in the zone of the settings
  claimed_at    timestamptz not null default now(),
  sent_at       timestamptz
);

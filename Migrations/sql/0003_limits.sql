-- Who may be written to, unless a campaign says otherwise: the newest version holds, the older ones say what held when.
create table contact_policy (
  business_id   bigint not null references business,
  version       int not null,
  policy        jsonb not null,
  by            text not null,
  at            timestamptz not null default now(),
  primary key (business_id, version)
);

-- Whether a touch counts for the frequency cap: marketing that was no test. It fills a gap in the row, so that no row
-- grows; null in rows of before, whose campaigns know it.
alter table touch add column marketing boolean;

-- Phones that Meta could not deliver to (131026), and when it last said so.
create table undeliverable (
  contact_id    bigint primary key,
  at            timestamptz not null
) with (fillfactor = 80);

-- What Meta's insights say of templates by day, beside what receipts told. A daily job writes it again for the days that
-- may still change.

alter table account add column insights boolean;         -- whether Meta counts them; null before it was asked

create table template_figure (
  account_id    bigint not null references account,
  meta_id       text not null,              -- of the template
  day           date not null,              -- UTC, as Meta counts
  sent          bigint not null,
  delivered     bigint not null,
  read          bigint not null,
  cost          numeric,
  clicks        jsonb not null,             -- [{"type", "button", "count"}]
  our_delivered bigint not null,
  our_read      bigint not null,
  our_cost      numeric not null,
  seen_at       timestamptz not null default now(),
  primary key (account_id, meta_id, day)
);

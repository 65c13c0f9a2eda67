-- The ledger's postings say why they were made, for which account, on which day they were booked and which month's
-- statement bears them: a charge that comes after its month closed stands in the next, with its own day.
alter table posting add column account_id bigint;
alter table posting add column booked_on date;
alter table posting add column month date;
alter table posting add column reason smallint not null default 1;
update posting p set account_id = c.account_id, booked_on = p.day, month = date_trunc('month', p.day)::date
  from campaign c where c.campaign_id = p.campaign_id;
alter table posting alter column account_id set not null;
alter table posting alter column booked_on set not null;
alter table posting alter column month set not null;
create index posting_month on posting (account_id, month);

-- The number that a message's receipts name: its charge stands under it even when its fact was lost.
alter table standing add column number_id bigint;

create table statement (                    -- a closed month of one account: its sums as they were, and never again otherwise
  business_id   bigint not null references business,
  account_id    bigint not null references account,
  month         date not null,              -- its first day
  statement_no  bigint not null,            -- counts 1, 2, 3 … in each business
  currency      text not null,
  zone          text not null,
  closed_at     timestamptz not null default clock_timestamp(),
  parties       jsonb not null,             -- seller and buyer, as they were named then
  totals        jsonb not null,             -- net, VAT and gross, exact and rounded, and what had no price
  primary key (account_id, month),
  unique (business_id, statement_no)
);

create table statement_line (               -- the lines of a closed month, copied from its postings
  account_id    bigint not null,
  month         date not null,
  line          int not null,
  campaign_id   bigint not null,
  number_id     bigint not null,
  day           date not null,
  market        smallint not null,
  category      smallint,
  pricing_type  smallint not null,
  charge        smallint not null,
  reason        smallint not null,
  rate          numeric,
  card          date,
  count         bigint not null,
  amount        numeric not null,
  primary key (account_id, month, line),
  foreign key (account_id, month) references statement
);

create table statement_party (              -- who sells and who buys, for the head of statements; the newest row holds
  business_id   bigint not null references business,
  version       int not null,
  parties       jsonb not null,
  by            text not null,
  at            timestamptz not null default now(),
  primary key (business_id, version)
);

-- Rate cards, volume tiers and the calling codes behind them, as rows that a finance team loads.

-- A card that was loaded wrong is loaded again as the next revision; the newest holds. Rows that a posting names stay.
alter table rate_card add column revision smallint not null default 1;
alter table rate_card add column loaded_by text not null default 'shipped';
alter table rate_card drop constraint rate_card_currency_effective_from_key;
create unique index rate_card_revision on rate_card (currency, effective_from, revision);

create view current_rate_card as
  select c.* from rate_card c where not exists (
    select from rate_card n
    where n.currency = c.currency and n.effective_from = c.effective_from and n.revision > c.revision);

create table rate_tier (                    -- above so many messages of a month a message costs less; whole portfolio
  currency      text not null,
  effective_from date not null,
  market        smallint not null,
  category      smallint not null,
  above         bigint not null check (above > 0),
  amount        numeric not null check (amount >= 0),
  source        text not null,
  loaded_at     timestamptz not null default now(),
  primary key (currency, effective_from, market, category, above)
);

create table market_change (                -- the market of a calling-code prefix from a day on; longest prefix wins
  effective_from date not null,
  prefix        text not null check (prefix ~ '^[1-9][0-9]{0,3}$'),
  market        smallint not null,
  source        text not null,
  loaded_at     timestamptz not null default now(),
  primary key (effective_from, prefix)
);

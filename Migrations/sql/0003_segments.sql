-- Conditions that a business keeps under a name. A draft copies what it finds: a later change moves nobody in or out.
create table segment (
  segment_id    bigint generated always as identity primary key,
  business_id   bigint not null references business,
  name          text not null,
  filter        jsonb not null,             -- `where`, as it was written
  by            text not null,
  at            timestamptz not null default now(),
  unique (business_id, name)
);

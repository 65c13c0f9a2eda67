-- When an account's templates were looked at last: news of them comes by webhook, and by a look where a webhook was lost.
alter table account add column templates_at timestamptz not null default now();

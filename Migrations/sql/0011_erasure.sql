-- Who asked to be forgotten. The keyed hash outlives the data; what is looked for is kept until it is found everywhere.
create table erasure (
  erasure_id    bigint generated always as identity primary key,
  business_id   bigint not null references business,
  person_key    uuid not null,
  by            text not null,
  at            timestamptz not null default clock_timestamp(),
  phones        bigint[],                   -- these three: null once done
  user_ids      text[],
  contacts      bigint[],
  done_at       timestamptz,
  counts        jsonb not null default '{}'
);
create index erasure_person on erasure (business_id, person_key);

-- Raw receipts hold what people wrote, so whole days of them go: those older than `_days` in which every batch is folded.
-- A day that somebody reads is left for the next time: waiting for it would keep receipts from being stored.
create function drop_receipt_days(_days int) returns int language plpgsql set lock_timeout = '200ms' as $$
declare
  part record;
  waits boolean;
  dropped int := 0;
begin
  for part in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'receipt_batch'::regclass
      and c.relname < 'receipt_batch_' || to_char((now() at time zone 'UTC')::date - _days, 'YYYYMMDD')
    order by 1
  loop
    execute format(
      'select exists (select from %I b where b.k > coalesce((select max(upto) from fold_log f where f.stream = b.stream), 0))',
      part.relname) into waits;
    continue when waits;
    begin
      execute format('drop table %I', part.relname);
      dropped := dropped + 1;
    exception when lock_not_available then
      exit;
    end;
  end loop;
  return dropped;
end $$;

-- People stay with the number that wrote to them before: a run of theirs names it (`run.number_id`). When it is lost its
-- runs go to the campaign's other numbers, and the take says from whom.
alter table run_take add column moved_from bigint;

-- Numbers that can't send until somebody resumes them: paused, or their token is.
create view lost_number as
  select n.number_id from number n
  where exists (select from open_pause p
    where (p.scope = 5 and p.scope_id = n.number_id) or (p.scope = 4 and p.scope_id = n.token_id));

-- Under which names (keyed hashes of phones and Meta's ids) an erased person was known: the record outside the database names
-- all of them, and after a restore either one tells that the erasure is in.
alter table erasure add column names uuid[];

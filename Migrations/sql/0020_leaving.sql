-- A node that ends in good order says so with its last beats: its lanes belong to the others from then on, and none of them
-- waits for its silence.
alter table node_beat add column leaves boolean not null default false;

-- Which history of this database sequence numbers belong to; with where it runs it makes the id that cursors carry
-- (functions/history_id.sql). Whoever puts files of an older state in its place says so: docs/sync.md.
create table history (
  single boolean primary key default true check (single),
  id uuid not null default gen_random_uuid()
);
insert into history default values;

-- Writes new rows of tasks for their owner. The columns are those of the table and put in when this function is made, which
-- it is again after each migration: a new column of tasks needs no word here.
do $make$
begin
  execute format($function$
    create or replace function insert_tasks(owner uuid, new_tasks jsonb) returns void
    language plpgsql as $$
    begin
      insert into tasks (user_id, %1$s)
        select owner, %1$s from jsonb_populate_recordset(null::tasks, new_tasks);
    end
    $$ $function$, (
    select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
    where attrelid = 'tasks'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
      and attname <> 'user_id'));
end
$make$;

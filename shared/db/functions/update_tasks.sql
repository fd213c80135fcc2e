-- Writes changed rows of tasks, each over the version before its own, and returns how many there were. The columns are
-- those of the table, as in insert_tasks. What an instant means on the wall stays as long as the instant and its zone do (migration
-- 0001).
do $make$
begin
  execute format($function$
    create or replace function update_tasks(owner uuid, changed_tasks jsonb) returns int
    language plpgsql as $$
    declare
      touched int;
    begin
      update tasks t set %s
        from jsonb_populate_recordset(null::tasks, changed_tasks) n
        where t.id = any((select ids_of(changed_tasks))::uuid[]) and t.id = n.id and t.user_id = owner
          and t.version = n.version - 1;
      get diagnostics touched = row_count;
      return touched;
    end
    $$ $function$, (
    select string_agg(case when attname like '%\_wall' then format(
        '%1$I = case when (t.%2$I, t.time_zone) is not distinct from (n.%2$I, n.time_zone) then t.%1$I else n.%1$I end',
        attname, replace(attname, '_wall', '_at'))
      else format('%1$I = n.%1$I', attname) end, ', ' order by attnum) from pg_attribute
    where attrelid = 'tasks'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
      and attname not in ('id', 'user_id', 'created_at')));
end
$make$;

-- The ids in rows of JSON, for a look by index: the planner takes a set of JSON for a hundred rows and would join it with a
-- table of some thousands by reading that from end to end; values in an array it looks up. As `any((select ids_of(…))::uuid[])`:
-- without the subquery it would see how few they are and make a plan for every call, which takes longer than the look.
create or replace function ids_of(rows jsonb, key text default 'id') returns uuid[]
language sql immutable as $$ select array(select (value ->> key)::uuid from jsonb_array_elements(rows)) $$;

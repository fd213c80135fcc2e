-- Applies lists of changes in one transaction, in the order given; each list is of one user and ends with its first change
-- that is refused, or whose user is new or held by somebody else. That one is undone: other lists neither notice nor wait,
-- and the caller tries it alone. Answers a list of results for each list.
create or replace function commit_changes(lists jsonb) returns jsonb
language plpgsql set enable_seqscan = off as $$
declare
  list jsonb;
  change jsonb;
  owner uuid;
  result jsonb;
  applied jsonb;
  results jsonb := '[]';
begin
  for list in select value from jsonb_array_elements(lists) loop
    applied := '[]';
    for change in select value from jsonb_array_elements(list) loop
      begin
        owner := (change ->> 'user_id')::uuid;
        perform 1 from user_counters where user_id = owner
          and turn = (select turn from user_counters where user_id = owner order by turn desc limit 1)
          for update skip locked;
        result := case when found then commit_change(change) else '{"outcome": "undone"}' end;
      exception when others then
        result := '{"outcome": "undone"}';
      end;
      applied := applied || result;
      exit when result ->> 'outcome' = 'undone';
    end loop;
    results := results || jsonb_build_array(applied);
  end loop;
  return results;
end
$$;

-- Waits until no other write of the user is under way, and keeps others waiting until the end of the transaction. The first
-- write of a user makes the row that is locked; of two at once the second waits for the first.
create or replace function hold_user(owner uuid) returns void
language plpgsql set enable_seqscan = off as $$
begin
  perform 1 from user_counters where user_id = owner order by turn desc limit 1 for update;
  if found then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('user_counters', hashtext(owner::text)));
  insert into user_counters (user_id)
    select owner where not exists (select from user_counters where user_id = owner);
  perform 1 from user_counters where user_id = owner order by turn desc limit 1 for update;
end
$$;

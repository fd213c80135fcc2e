-- The next events of a user, as many as are wanted and fit into so many bytes of JSON; the first one whatever its size.
-- One after the other, because to know the size of an event is as much work as to send it.
create or replace function events_after(owner uuid, since bigint, most integer, max_bytes bigint) returns setof events
language plpgsql stable as $$
declare
  event events;
  envelope constant integer := 600;
  bytes bigint := 0;
  is_first boolean := true;
begin
  for event in select * from events where user_id = owner and seq > since order by seq limit most loop
    bytes := bytes + envelope + octet_length(event.data::text);
    exit when bytes > max_bytes and not is_first;
    is_first := false;
    return next event;
  end loop;
end
$$;

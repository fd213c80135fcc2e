-- Applies one decided change of one user atomically, in one round trip: rows with their expected versions, events with
-- the next sequence numbers, the consumer's dedupe marks and the stored answer of an Idempotency-Key.
-- `change` is the Change of shared/app/ports.ts in column names. Answers {outcome: applied | replayed}; everything else
-- is raised, so nothing of a refused change stays behind: DB001 version conflict, DB002 already processed,
-- DB003 key in flight, DB004 key reused with another request, DB005 occurrence, reminder or notification exists, DB007 more
-- than a limit of the change allows (the message names it; only requests bring limits, what follows from them does not),
-- DB009 the account was deleted.
-- What is not named here is for commit_reminding, which refuses what it does not know either.
create or replace function commit_change(change jsonb) returns jsonb
-- A plan made while a table was small would read all of it, with every dead version that an old snapshot keeps.
language plpgsql set enable_seqscan = off as $$
declare
  owner constant uuid := (change ->> 'user_id')::uuid;
  at constant timestamptz := (change ->> 'at')::timestamptz;
  idem constant jsonb := change -> 'idempotency';
  event_count constant int := coalesce(jsonb_array_length(change -> 'events'), 0);
  limits constant jsonb := change -> 'limits';
  reminding constant jsonb := change - array['user_id', 'at', 'active_delta', 'completed_delta', 'limits', 'new_tasks',
    'changed_tasks', 'moved_tasks', 'new_occurrences', 'changed_occurrences', 'dropped_occurrences', 'series',
    'emptied', 'free_places', 'tag_deltas', 'events', 'processed', 'idempotency'];
  opened int := 0;
  stored record;
  is_stale boolean := false;
  kept user_counters;
  delta tags;
  exceeded text;
  last bigint;
  touched int;
begin
  if idem is not null then
    if not pg_try_advisory_xact_lock(hashtextextended(idem ->> 'key', hashtext(change ->> 'user_id'))) then
      raise exception 'in flight' using errcode = 'DB003';
    end if;
    select fingerprint, answer, expires_at into stored from idempotency_keys
      where user_id = owner and key = idem ->> 'key';
    is_stale := found and stored.expires_at <= at;
    if found and not is_stale then
      if stored.fingerprint <> idem ->> 'fingerprint' then
        raise exception 'key reused' using errcode = 'DB004';
      end if;
      return jsonb_build_object('outcome', 'replayed', 'answer', stored.answer);
    end if;
  end if;

  -- Reminders to come that users have set; of rows whose version is checked below, so that it is right or refused.
  if change ?| array['new_reminders', 'changed_reminders'] then
    opened := (select count(r.fire_at) filter (where r.origin <> 'default') from jsonb_populate_recordset(null::reminders,
        coalesce(change -> 'new_reminders', '[]') || coalesce(change -> 'changed_reminders', '[]')) r)
      - (select count(r.fire_at) filter (where r.origin <> 'default') from reminders r
        where r.id = any((select ids_of(change -> 'changed_reminders'))::uuid[]) and r.user_id = owner);
  end if;

  loop
    update user_counters c set
        writes = c.writes + 1,
        turn = (c.writes + 1) / 32,
        last_seq = c.last_seq + event_count,
        active_tasks = c.active_tasks + (change ->> 'active_delta')::int,
        completed_tasks = c.completed_tasks + (change ->> 'completed_delta')::int,
        kept_tasks = c.kept_tasks + coalesce(jsonb_array_length(change -> 'new_tasks'), 0),
        open_reminders = c.open_reminders + opened,
        kept_answers = c.kept_answers + (idem is not null)::int,
        answer_bytes = c.answer_bytes + coalesce(octet_length(idem ->> 'answer'), 0),
        kept_notifications = c.kept_notifications + coalesce(jsonb_array_length(change -> 'new_notifications'), 0)
      where c.user_id = owner
        and c.turn = (select n.turn from user_counters n where n.user_id = owner order by n.turn desc limit 1)
      returning * into kept;
    exit when found;
    perform hold_user(owner);
  end loop;
  last := kept.last_seq;

  -- The counters of a deleted account are gone, so its next write would be its first.
  if last = event_count and exists (select from deleted_accounts where user_id = owner) then
    raise exception 'the account was deleted' using errcode = 'DB009';
  end if;

  if limits is not null then
    exceeded := case
      when kept.kept_tasks > (limits ->> 'tasks')::bigint then 'tasks'
      when opened > 0 and kept.open_reminders > (limits ->> 'open_reminders')::bigint then 'open_reminders'
      when kept.kept_answers > (limits ->> 'answers')::bigint then 'answers'
      when kept.answer_bytes > (limits ->> 'answer_bytes')::bigint then 'answer_bytes'
    end;
    if exceeded is not null then
      raise exception '%', exceeded using errcode = 'DB007';
    end if;
  end if;

  if change ? 'processed' then
    insert into processed_events (consumer, event_id, processed_at)
      select mark ->> 'consumer', (mark ->> 'event_id')::uuid, at from jsonb_array_elements(change -> 'processed') mark
      on conflict do nothing;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'processed') then
      raise exception 'already processed' using errcode = 'DB002';
    end if;
  end if;

  if change ? 'new_tasks' then
    perform insert_tasks(owner, change -> 'new_tasks');
  end if;

  if change ? 'changed_tasks' and update_tasks(owner, change -> 'changed_tasks')
      <> jsonb_array_length(change -> 'changed_tasks') then
    raise exception 'a task has another version' using errcode = 'DB001';
  end if;

  -- A task below one that is closed with what lies below it: nobody told of it.
  if change ? 'emptied' then
    perform 1 from tasks t
      where t.parent_id = any(array(select jsonb_array_elements_text(change #> '{emptied,task_ids}')::uuid))
        and t.user_id = owner and t.deleted_at is null
        and (t.completed_at is null or change #>> '{emptied,of}' = 'present');
    if found then
      raise exception 'another task lies below' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'free_places' then
    perform 1 from tasks t
      where t.user_id = owner and t.is_open in (true, false) and t.deleted_at is null
        and t.position = any(array(select jsonb_array_elements_text(change -> 'free_places')::bigint))
        and t.id <> all((select ids_of(change -> 'moved_tasks'))::uuid[]);
    if found then
      raise exception 'the place is taken' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'moved_tasks' then
    update tasks t set position = n.position, version = n.version, updated_at = at
      from jsonb_populate_recordset(null::tasks, change -> 'moved_tasks') n
      where t.id = any((select ids_of(change -> 'moved_tasks'))::uuid[]) and t.id = n.id and t.user_id = owner
        and t.version = n.version - 1;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'moved_tasks') then
      raise exception 'a task has another version' using errcode = 'DB001';
    end if;
  end if;

  -- What an instant means on the wall stays as long as the instant does: see migration 0001.
  if change ? 'series' then
    insert into series as s
      select (jsonb_populate_record(null::series, value || jsonb_build_object('user_id', owner))).*
      from jsonb_array_elements(change -> 'series')
      on conflict (id) do update set rule = excluded.rule, start_at = excluded.start_at,
        time_zone = excluded.time_zone, month_end = excluded.month_end, repeat_from = excluded.repeat_from,
        exdates = excluded.exdates, rdates = excluded.rdates, is_all_day = excluded.is_all_day,
        template = excluded.template, state = excluded.state, live_task_id = excluded.live_task_id,
        generated = excluded.generated, version = excluded.version, updated_at = excluded.updated_at,
        walls = case when (s.start_at, s.time_zone, s.exdates, s.rdates)
            is not distinct from (excluded.start_at, excluded.time_zone, excluded.exdates, excluded.rdates)
          then s.walls else excluded.walls end
      where s.version = excluded.version - 1 and s.user_id = owner;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'series') then
      raise exception 'a series has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'dropped_occurrences' then
    delete from occurrences o using jsonb_populate_recordset(null::occurrences, change -> 'dropped_occurrences') n
      where o.series_id = any((select ids_of(change -> 'dropped_occurrences', 'series_id'))::uuid[])
        and o.series_id = n.series_id and o.occurrence_at = n.occurrence_at and o.user_id = owner;
  end if;

  if change ? 'new_occurrences' then
    insert into occurrences (series_id, occurrence_at, occurrence_wall, user_id, state, task_id, closed_at)
      select series_id, occurrence_at, occurrence_wall, owner, state, task_id, closed_at
      from jsonb_populate_recordset(null::occurrences, change -> 'new_occurrences')
      on conflict do nothing;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'new_occurrences') then
      raise exception 'the occurrence exists' using errcode = 'DB005';
    end if;
  end if;

  if change ? 'changed_occurrences' then
    update occurrences o set state = n.state, task_id = n.task_id, closed_at = n.closed_at
      from jsonb_populate_recordset(null::occurrences, change -> 'changed_occurrences') n
      where o.series_id = any((select ids_of(change -> 'changed_occurrences', 'series_id'))::uuid[])
        and o.series_id = n.series_id and o.occurrence_at = n.occurrence_at and o.user_id = owner;
  end if;

  if reminding <> '{}' then
    perform commit_reminding(owner, at, last - event_count, limits, reminding);
  end if;

  -- The key of a tag moves as that of the user's counters does (migration 0001).
  for delta in select * from jsonb_populate_recordset(null::tags, change -> 'tag_deltas') loop
    update tags t set turn = kept.turn, active = t.active + delta.active, completed = t.completed + delta.completed,
        label = case when t.active + t.completed = 0 then delta.label else t.label end
      where t.user_id = owner and t.key = delta.key
        and t.turn = (select n.turn from tags n where n.user_id = owner and n.key = delta.key order by n.turn desc limit 1);
    if not found then
      insert into tags (user_id, key, turn, label, active, completed)
        values (owner, delta.key, kept.turn, delta.label, delta.active, delta.completed);
    end if;
  end loop;

  if event_count > 0 then
    with written as (
      insert into events (user_id, seq, id, type, dataversion, source, subject, time, data, traceparent, tracestate)
      select owner, last - event_count + e.place, (e.event ->> 'id')::uuid, e.event ->> 'type', e.event ->> 'dataversion',
        e.event ->> 'source', e.event ->> 'subject', (e.event ->> 'time')::timestamptz, e.event -> 'data', e.event ->> 'traceparent',
        e.event ->> 'tracestate'
      from jsonb_array_elements(change -> 'events') with ordinality e (event, place)
      returning user_id, seq, time)
    insert into outbox (user_id, seq, time) select user_id, seq, time from written;
  end if;

  if idem is not null then
    -- The answer of long ago, unless it has been purged since.
    if is_stale then
      with gone as (
        delete from idempotency_keys where user_id = owner and key = idem ->> 'key' returning octet_length(answer) as bytes)
      update user_counters set kept_answers = kept_answers - 1, answer_bytes = answer_bytes - gone.bytes
        from gone where user_id = owner and turn = kept.turn;
    end if;
    insert into idempotency_keys (user_id, key, fingerprint, answer, expires_at)
      values (owner, idem ->> 'key', idem ->> 'fingerprint', idem ->> 'answer', (idem ->> 'expires_at')::timestamptz);
  end if;
  return jsonb_build_object('outcome', 'applied', 'last_seq', last);
end
$$;

-- Applies one decided change of one user atomically, in one round trip: rows with their expected versions, events with
-- the next sequence numbers, the consumer's dedupe mark and the stored answer of an Idempotency-Key.
-- `change` is the Change of shared/app/ports.ts in column names. Answers {outcome: applied | replayed}; everything else
-- is raised, so nothing of a refused change stays behind: DB001 version conflict, DB002 already processed,
-- DB003 key in flight, DB004 key reused with another request, DB005 occurrence or notification exists.
create function commit_change(change jsonb) returns jsonb
language plpgsql as $$
declare
  owner constant uuid := (change ->> 'user_id')::uuid;
  at constant timestamptz := (change ->> 'at')::timestamptz;
  idem constant jsonb := change -> 'idempotency';
  mark constant jsonb := change -> 'processed';
  event_count constant int := coalesce(jsonb_array_length(change -> 'events'), 0);
  stored record;
  last bigint;
  touched int;
begin
  if idem is not null then
    if not pg_try_advisory_xact_lock(hashtextextended(idem ->> 'key', hashtext(change ->> 'user_id'))) then
      raise exception 'in flight' using errcode = 'DB003';
    end if;
    select fingerprint, answer into stored from idempotency_keys
      where user_id = owner and key = idem ->> 'key' and expires_at > at;
    if found then
      if stored.fingerprint <> idem ->> 'fingerprint' then
        raise exception 'key reused' using errcode = 'DB004';
      end if;
      return jsonb_build_object('outcome', 'replayed', 'answer', stored.answer);
    end if;
  end if;

  insert into user_counters as c (user_id, last_seq, active_tasks, completed_tasks)
    values (owner, event_count, (change ->> 'active_delta')::int, (change ->> 'completed_delta')::int)
    on conflict (user_id) do update set
      last_seq = c.last_seq + excluded.last_seq,
      active_tasks = c.active_tasks + excluded.active_tasks,
      completed_tasks = c.completed_tasks + excluded.completed_tasks
    returning last_seq into last;

  if mark is not null then
    insert into processed_events (consumer, event_id, processed_at)
      values (mark ->> 'consumer', (mark ->> 'event_id')::uuid, at) on conflict do nothing;
    if not found then
      raise exception 'already processed' using errcode = 'DB002';
    end if;
  end if;

  if change ? 'new_tasks' then
    insert into tasks (id, user_id, title, description, priority, tags, tag_keys, completed_at, due_date, due_at,
        due_order, time_zone, remind_at, parent_id, position, series_id, occurrence_at, recurrence_rule, repeat_from,
        version, created_at, updated_at, deleted_at)
      select id, owner, title, description, priority, tags, tag_keys, completed_at, due_date, due_at,
        due_order, time_zone, remind_at, parent_id, position, series_id, occurrence_at, recurrence_rule, repeat_from,
        version, created_at, updated_at, deleted_at
      from jsonb_populate_recordset(null::tasks, change -> 'new_tasks');
  end if;

  if change ? 'changed_tasks' then
    update tasks t set title = n.title, description = n.description, priority = n.priority, tags = n.tags,
        tag_keys = n.tag_keys, completed_at = n.completed_at, due_date = n.due_date, due_at = n.due_at,
        due_order = n.due_order, time_zone = n.time_zone, remind_at = n.remind_at, parent_id = n.parent_id,
        position = n.position, series_id = n.series_id, occurrence_at = n.occurrence_at,
        recurrence_rule = n.recurrence_rule, repeat_from = n.repeat_from, version = n.version,
        updated_at = n.updated_at, deleted_at = n.deleted_at
      from jsonb_populate_recordset(null::tasks, change -> 'changed_tasks') n
      where t.id = n.id and t.user_id = owner and t.version = n.version - 1;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'changed_tasks') then
      raise exception 'a task has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'moved_tasks' then
    update tasks t set position = n.position, version = n.version, updated_at = at
      from jsonb_populate_recordset(null::tasks, change -> 'moved_tasks') n
      where t.id = n.id and t.user_id = owner and t.version = n.version - 1;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'moved_tasks') then
      raise exception 'a task has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'series' then
    insert into series as s
      select (jsonb_populate_record(null::series, change -> 'series' || jsonb_build_object('user_id', owner))).*
      on conflict (id) do update set rule = excluded.rule, start_at = excluded.start_at,
        time_zone = excluded.time_zone, month_end = excluded.month_end, repeat_from = excluded.repeat_from,
        exdates = excluded.exdates, rdates = excluded.rdates, is_all_day = excluded.is_all_day,
        template = excluded.template, state = excluded.state, live_task_id = excluded.live_task_id,
        generated = excluded.generated, version = excluded.version, updated_at = excluded.updated_at
      where s.version = excluded.version - 1 and s.user_id = owner;
    if not found then
      raise exception 'the series has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'dropped_occurrences' then
    delete from occurrences o using jsonb_populate_recordset(null::occurrences, change -> 'dropped_occurrences') n
      where o.series_id = n.series_id and o.occurrence_at = n.occurrence_at and o.user_id = owner;
  end if;

  if change ? 'new_occurrences' then
    insert into occurrences (series_id, occurrence_at, user_id, state, task_id, closed_at)
      select series_id, occurrence_at, owner, state, task_id, closed_at
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
      where o.series_id = n.series_id and o.occurrence_at = n.occurrence_at and o.user_id = owner;
  end if;

  if change ?| array['new_reminders', 'changed_reminders', 'new_notifications', 'new_deliveries', 'changed_deliveries',
      'unchanged_tasks', 'known_reminders',
      'unchanged_deliveries', 'shown_notifications', 'next_digest', 'preferences'] then
    perform commit_reminding(owner, last - event_count, change);
  end if;

  if change ? 'tag_deltas' then
    insert into tags as t (user_id, key, label, active, completed)
      select owner, key, label, active, completed
      from jsonb_populate_recordset(null::tags, change -> 'tag_deltas')
      on conflict (user_id, key) do update set
        active = t.active + excluded.active, completed = t.completed + excluded.completed,
        label = case when t.active + t.completed = 0 then excluded.label else t.label end;
  end if;

  if event_count > 0 then
    with written as (
      insert into events (user_id, seq, id, type, source, subject, time, data, traceparent, tracestate)
      select owner, last - event_count + e.place, (e.event ->> 'id')::uuid, e.event ->> 'type', e.event ->> 'source',
        e.event ->> 'subject', (e.event ->> 'time')::timestamptz, e.event -> 'data', e.event ->> 'traceparent',
        e.event ->> 'tracestate'
      from jsonb_array_elements(change -> 'events') with ordinality e (event, place)
      returning user_id, seq, time)
    insert into outbox (user_id, seq, time) select user_id, seq, time from written;
  end if;

  if idem is not null then
    insert into idempotency_keys (user_id, key, fingerprint, answer, expires_at)
      values (owner, idem ->> 'key', idem ->> 'fingerprint', idem ->> 'answer', (idem ->> 'expires_at')::timestamptz)
      on conflict (user_id, key) do update set
        fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at;
  end if;
  return jsonb_build_object('outcome', 'applied', 'last_seq', last);
end
$$;

-- Applies changes of different requests in one transaction, in the order given, each for itself. One that is refused, or
-- whose user is new or held by somebody else, is undone: the others neither notice nor wait, and the caller tries it alone.
create function commit_changes(changes jsonb) returns jsonb
language plpgsql as $$
declare
  change jsonb;
  results jsonb := '[]';
begin
  for change in select value from jsonb_array_elements(changes) loop
    begin
      perform 1 from user_counters where user_id = (change ->> 'user_id')::uuid for update skip locked;
      if found then
        results := results || commit_change(change);
      else
        results := results || '{"outcome": "undone"}';
      end if;
    exception when others then
      results := results || '{"outcome": "undone"}';
    end;
  end loop;
  return results;
end
$$;

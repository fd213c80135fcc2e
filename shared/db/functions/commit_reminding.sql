-- The part of commit_change that concerns reminding; `before` is the last sequence number before the change. Raises DB001
-- when a row has another version by now, DB005 when a notification or a task's reminder exists, DB007 when more reminders fire in a minute
-- than `limits` allow, 22023 for a part of a change that nobody knows.
create or replace function commit_reminding(owner uuid, at timestamptz, before bigint, limits jsonb, change jsonb)
returns void language plpgsql as $$
declare
  unknown constant jsonb := change - array['unchanged_tasks', 'known_reminders', 'changed_reminders', 'new_reminders',
    'new_notifications', 'shown_notifications', 'read_notifications', 'new_deliveries', 'unchanged_deliveries', 'changed_deliveries',
    'next_digest', 'preferences', 'moved_zone', 'confirmed_target'];
  per_minute constant int := limits ->> 'reminders_per_minute';
  touched int;
begin
  if unknown <> '{}' then
    raise exception 'a change has an unknown part: %', (select string_agg(key, ', ') from jsonb_object_keys(unknown) key)
      using errcode = 'invalid_parameter_value';
  end if;

  if change ? 'unchanged_tasks' then
    select count(*) into touched from tasks t
      join jsonb_populate_recordset(null::tasks, change -> 'unchanged_tasks') n on t.id = n.id
      where t.id = any((select ids_of(change -> 'unchanged_tasks'))::uuid[]) and t.user_id = owner and t.version = n.version;
    if touched <> jsonb_array_length(change -> 'unchanged_tasks') then
      raise exception 'a task has another version' using errcode = 'DB001';
    end if;
  end if;

  -- Whoever adds or changes a reminder leaves the version of its task as it is.
  if change ? 'known_reminders' then
    perform 1 from reminders r
      where r.task_id = any(array(select jsonb_array_elements_text(change #> '{known_reminders,task_ids}')::uuid))
        and r.deleted_at is null and not exists (
          select from jsonb_populate_recordset(null::reminders, change #> '{known_reminders,reminders}') n
          where n.id = r.id and n.version = r.version);
    if found then
      raise exception 'a task has other reminders' using errcode = 'DB001';
    end if;
  end if;

  -- First what makes room: of a task's own reminders one may go and another come.
  if change ? 'changed_reminders' then
    update reminders r set remind_at = n.remind_at, time_zone = n.time_zone,
        remind_wall = case when (r.remind_at, r.time_zone) is not distinct from (n.remind_at, n.time_zone)
          then r.remind_wall else n.remind_wall end, offset_minutes = n.offset_minutes, channels = n.channels,
        fire_at = n.fire_at, fired_at = n.fired_at, snoozed_until = n.snoozed_until,
        acknowledged_at = n.acknowledged_at, cancelled_at = n.cancelled_at, deleted_at = n.deleted_at,
        version = n.version, updated_at = n.updated_at, lease_until = null
      from jsonb_populate_recordset(null::reminders, change -> 'changed_reminders') n
      where r.id = any((select ids_of(change -> 'changed_reminders'))::uuid[]) and r.id = n.id and r.user_id = owner
        and r.version = n.version - 1;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'changed_reminders') then
      raise exception 'a reminder has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'new_reminders' then
    insert into reminders (id, user_id, task_id, origin, remind_at, time_zone, remind_wall, offset_minutes, channels, fire_at, fired_at,
        snoozed_until, acknowledged_at, cancelled_at, deleted_at, version, created_at, updated_at)
      select id, owner, task_id, origin, remind_at, time_zone, remind_wall, offset_minutes, channels, fire_at, fired_at,
        snoozed_until, acknowledged_at, cancelled_at, deleted_at, version, created_at, updated_at
      from jsonb_populate_recordset(null::reminders, change -> 'new_reminders')
      on conflict do nothing;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'new_reminders') then
      raise exception 'the reminder exists' using errcode = 'DB005';
    end if;
  end if;

  if per_minute is not null then
    perform 1 from (
      select distinct date_trunc('minute', fire_at) as minute from jsonb_populate_recordset(null::reminders,
        coalesce(change -> 'new_reminders', '[]') || coalesce(change -> 'changed_reminders', '[]'))
      where origin <> 'default') n
      where (select count(*) from (
          select from reminders r where r.user_id = owner and r.fire_at >= n.minute
            and r.fire_at < n.minute + interval '1 minute' and r.origin <> 'default'
          limit per_minute + 1) due) > per_minute;
    if found then
      raise exception 'reminders_per_minute' using errcode = 'DB007';
    end if;
  end if;

  if change ? 'new_notifications' then
    insert into notifications (id, user_id, source, type, task_id, reminder_id, title, body, late, seq, created_at, read_at)
      select id, owner, source, type, task_id, reminder_id, title, body, late, before + seq, created_at, read_at
      from jsonb_populate_recordset(null::notifications, change -> 'new_notifications')
      on conflict do nothing;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'new_notifications') then
      raise exception 'the notification exists' using errcode = 'DB005';
    end if;
  end if;

  if change ? 'shown_notifications' then
    update notifications n set seq = before + s.seq
      from jsonb_to_recordset(change -> 'shown_notifications') s (id uuid, seq bigint)
      where n.id = s.id and n.user_id = owner and n.seq is null;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'shown_notifications') then
      raise exception 'a notification is shown already' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'read_notifications' then
    update notifications n set read_at = at, read_seq = before + s.seq
      from jsonb_to_recordset(change -> 'read_notifications') s (id uuid, seq bigint)
      where n.id = any((select ids_of(change -> 'read_notifications'))::uuid[]) and n.id = s.id and n.user_id = owner
        and n.seq is not null and n.read_at is null;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'read_notifications') then
      raise exception 'a notification is read already' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'new_deliveries' then
    insert into deliveries (id, user_id, notification_id, reminder_id, task_id, fire_at, channel, target, state, attempts,
        next_attempt_at, triggered_at, delivered_at, late, reason, digest_id, version)
      select id, owner, notification_id, reminder_id, task_id, fire_at, channel, target, state, attempts,
        next_attempt_at, triggered_at, delivered_at, late, reason, digest_id, version
      from jsonb_populate_recordset(null::deliveries, change -> 'new_deliveries')
      on conflict do nothing;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'new_deliveries') then
      raise exception 'the delivery exists' using errcode = 'DB005';
    end if;
  end if;

  if change ? 'unchanged_deliveries' then
    select count(*) into touched from deliveries d
      join jsonb_populate_recordset(null::deliveries, change -> 'unchanged_deliveries') n on d.id = n.id
      where d.id = any((select ids_of(change -> 'unchanged_deliveries'))::uuid[]) and d.user_id = owner and d.version = n.version;
    if touched <> jsonb_array_length(change -> 'unchanged_deliveries') then
      raise exception 'a delivery has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'changed_deliveries' then
    update deliveries d set state = n.state, attempts = n.attempts, next_attempt_at = n.next_attempt_at,
        delivered_at = n.delivered_at, reason = n.reason, digest_id = n.digest_id, version = n.version,
        lease_until = null
      from jsonb_populate_recordset(null::deliveries, change -> 'changed_deliveries') n
      where d.id = any((select ids_of(change -> 'changed_deliveries'))::uuid[]) and d.id = n.id and d.user_id = owner
        and d.version = n.version - 1;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'changed_deliveries') then
      raise exception 'a delivery has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'next_digest' then
    update notification_preferences set next_digest_at = (change #>> '{next_digest,to}')::timestamptz, digest_lease_until = null
      where user_id = owner and next_digest_at = (change #>> '{next_digest,from}')::timestamptz;
    if not found then
      raise exception 'the digest was made by somebody else' using errcode = 'DB001';
    end if;
  end if;

  -- A digest that is due stays due while its time stays the same. What quiet hours hold back is looked at again.
  if change ? 'preferences' then
    insert into notification_preferences as p
      select (jsonb_populate_record(null::notification_preferences,
        change -> 'preferences' || jsonb_build_object('user_id', owner))).*
      on conflict (user_id) do update set channels = excluded.channels, quiet_hours = excluded.quiet_hours,
        daily_digest_at = excluded.daily_digest_at, default_reminder_minutes = excluded.default_reminder_minutes,
        time_zone = excluded.time_zone, webhook_url = excluded.webhook_url,
        webhook_secret = excluded.webhook_secret, webhook_id = excluded.webhook_id,
        webhook_confirmed_at = case when p.webhook_id = excluded.webhook_id
          then p.webhook_confirmed_at else excluded.webhook_confirmed_at end, version = excluded.version, updated_at = excluded.updated_at,
        digest_lease_until = null, next_digest_at = case
          when p.daily_digest_at = excluded.daily_digest_at and p.time_zone is not distinct from excluded.time_zone
          then p.next_digest_at else excluded.next_digest_at end
      where p.version = excluded.version - 1;
    if not found then
      raise exception 'the preferences have another version' using errcode = 'DB001';
    end if;
  end if;

  -- The zone of the account is another one, and counts for notifications: the digest comes, and quiet hours end, by it.
  if change ? 'moved_zone' then
    update notification_preferences set next_digest_at = (change #>> '{moved_zone,next_digest_at}')::timestamptz,
        digest_lease_until = null
      where user_id = owner and version = (change #>> '{moved_zone,version}')::int;
    if not found then
      raise exception 'the preferences have another version' using errcode = 'DB001';
    end if;
  end if;

  if change ?| array['preferences', 'moved_zone'] then
    -- So many of it: what is more is looked at when the quiet hours end for which it was held back.
    update deliveries set next_attempt_at = at, version = version + 1, lease_until = null
      where id = any(array(
        select id from deliveries where user_id = owner and state = 'held' and digest_id is null
          and reason is distinct from change #>> '{preferences,stays_held_for}'
        order by notification_id, id limit 1000));
  end if;

  -- A webhook or a device that has answered; another one by now has another id.
  if change ? 'confirmed_target' then
    update notification_preferences set webhook_confirmed_at = at
      where user_id = owner and webhook_id = (change ->> 'confirmed_target')::uuid and webhook_confirmed_at is null;
    update push_subscriptions set confirmed_at = at
      where user_id = owner and id = (change ->> 'confirmed_target')::uuid and confirmed_at is null;
  end if;
end
$$;

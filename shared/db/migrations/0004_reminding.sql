-- Reminders, what they lead to, and whom they reach. The rows are the truth: a worker takes what is due from them,
-- whatever woke it (a job, an event, a timer, a restart).
create table reminders (
  id uuid primary key,
  user_id uuid not null,
  task_id uuid not null,
  origin text not null check (origin in ('user', 'task')),
  remind_at timestamptz(3),
  offset_minutes integer,
  channels text[],
  fire_at timestamptz(3),
  fired_at timestamptz(3),
  snoozed_until timestamptz(3),
  acknowledged_at timestamptz(3),
  cancelled_at timestamptz(3),
  deleted_at timestamptz(3),
  version integer not null check (version > 0),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  -- Until then a worker deals with it; one that dies loses it.
  lease_until timestamptz(3)
) with (fillfactor = 80);
create index reminders_due on reminders (fire_at, id) where fire_at is not null;
create index reminders_of_task on reminders (task_id);
create index reminders_removed on reminders (deleted_at) where deleted_at is not null;
-- The task's own remind_at is one reminder.
create unique index reminders_of_task_itself on reminders (task_id) where origin = 'task' and deleted_at is null;

-- What is said, once per user and source. `seq` is the place of the event that shows it in the app: lists and streams
-- are in this order, without gaps and the same for every replica.
create table notifications (
  id uuid primary key,
  user_id uuid not null,
  source text not null,
  type text not null,
  task_id uuid,
  reminder_id uuid,
  title text not null,
  body text not null,
  late boolean not null,
  seq bigint,
  created_at timestamptz(3) not null,
  read_at timestamptz(3),
  unique (user_id, source)
);
create unique index notifications_in_app on notifications (user_id, seq) where seq is not null;
create index notifications_unread on notifications (user_id, seq) where seq is not null and read_at is null;
create index notifications_age on notifications (created_at);

-- The ledger. Its unique indexes are the promise "once per channel", whoever fires and how often.
create table deliveries (
  id uuid primary key,
  user_id uuid not null,
  notification_id uuid not null,
  reminder_id uuid,
  fire_at timestamptz(3) not null,
  channel text not null check (channel in ('in_app', 'email', 'web_push', 'mobile_push', 'webhook')),
  target uuid not null,
  state text not null check (state in ('triggered', 'held', 'delivered', 'failed', 'cancelled')),
  attempts integer not null,
  next_attempt_at timestamptz(3),
  triggered_at timestamptz(3) not null,
  delivered_at timestamptz(3),
  late boolean not null,
  reason text,
  digest_id uuid,
  version integer not null check (version > 0),
  lease_until timestamptz(3),
  unique (notification_id, channel, target)
) with (fillfactor = 80);
create unique index deliveries_once on deliveries (reminder_id, fire_at, channel, target) where reminder_id is not null;
-- By channel: a slow one keeps no other waiting.
create index deliveries_due on deliveries (channel, next_attempt_at, id) where state = 'triggered';
create index deliveries_held on deliveries (user_id) where state = 'held' and digest_id is null;
create index deliveries_held_until on deliveries (next_attempt_at, id) where state = 'held' and digest_id is null;
create index deliveries_of_digest on deliveries (digest_id) where digest_id is not null;

create table notification_preferences (
  user_id uuid primary key,
  channels jsonb not null,
  quiet_hours jsonb,
  daily_digest_at text,
  time_zone text,
  webhook_url text,
  webhook_secret text,
  next_digest_at timestamptz(3),
  version integer not null check (version > 0),
  updated_at timestamptz(3) not null,
  -- Until then a worker makes the digest that is due.
  digest_lease_until timestamptz(3)
);
create index digests_due on notification_preferences (next_digest_at) where next_digest_at is not null;

-- A device. The endpoint (or FCM token) is a secret between it and us, and belongs to one user at a time.
create table push_subscriptions (
  id uuid primary key,
  user_id uuid not null,
  channel text not null check (channel in ('web_push', 'mobile_push')),
  endpoint text not null,
  keys jsonb,
  created_at timestamptz(3) not null
);
create unique index push_subscriptions_endpoint on push_subscriptions (md5(endpoint));
create index push_subscriptions_of_user on push_subscriptions (user_id);

-- By this pair push services know us (RFC 8292). One row: of processes that make one at the same moment, the first counts.
create table push_keys (
  single boolean primary key default true check (single),
  public_key text not null,
  private_key text not null,
  created_at timestamptz(3) not null
);

-- What consumers gave up on, as it came, until somebody replays or discards it.
create table dead_letters (
  id uuid primary key,
  -- Of the event; two consumers may give up on the same one.
  event_id text not null,
  consumer text not null,
  type text not null,
  user_id uuid,
  reason text not null,
  letter jsonb not null,
  state text not null check (state in ('open', 'replayed', 'discarded')),
  times integer not null,
  received_at timestamptz(3) not null,
  resolved_at timestamptz(3),
  unique (event_id, consumer)
);
create index dead_letters_open on dead_letters (received_at, id) where state = 'open';
create index dead_letters_resolved on dead_letters (resolved_at) where resolved_at is not null;

create function ids_of(rows jsonb) returns uuid[]
language sql immutable as $$ select array(select (value ->> 'id')::uuid from jsonb_array_elements(rows)) $$;

-- The part of commit_change (migration 0002) that concerns reminding; `before` is the last sequence number before the
-- change. Raises DB001 when a row has another version by now, DB005 when the notification exists.
create function commit_reminding(owner uuid, before bigint, change jsonb) returns void
language plpgsql as $$
declare
  touched int;
begin
  -- The planner takes a set of JSON for a hundred rows and would read a table of some thousands from end to end; with
  -- the ids in an array it looks them up.
  if change ? 'unchanged_tasks' then
    select count(*) into touched from tasks t
      join jsonb_populate_recordset(null::tasks, change -> 'unchanged_tasks') n on t.id = n.id
      where t.id = any(ids_of(change -> 'unchanged_tasks')) and t.user_id = owner and t.version = n.version;
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
    update reminders r set remind_at = n.remind_at, offset_minutes = n.offset_minutes, channels = n.channels,
        fire_at = n.fire_at, fired_at = n.fired_at, snoozed_until = n.snoozed_until,
        acknowledged_at = n.acknowledged_at, cancelled_at = n.cancelled_at, deleted_at = n.deleted_at,
        version = n.version, updated_at = n.updated_at, lease_until = null
      from jsonb_populate_recordset(null::reminders, change -> 'changed_reminders') n
      where r.id = any(ids_of(change -> 'changed_reminders')) and r.id = n.id and r.user_id = owner
        and r.version = n.version - 1;
    get diagnostics touched = row_count;
    if touched <> jsonb_array_length(change -> 'changed_reminders') then
      raise exception 'a reminder has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'new_reminders' then
    insert into reminders (id, user_id, task_id, origin, remind_at, offset_minutes, channels, fire_at, fired_at,
        snoozed_until, acknowledged_at, cancelled_at, deleted_at, version, created_at, updated_at)
      select id, owner, task_id, origin, remind_at, offset_minutes, channels, fire_at, fired_at,
        snoozed_until, acknowledged_at, cancelled_at, deleted_at, version, created_at, updated_at
      from jsonb_populate_recordset(null::reminders, change -> 'new_reminders');
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
    -- A hint for processes with open streams (shared/db/notification-feed.ts), given when this is committed.
    if jsonb_path_exists(change, '$.new_notifications[*] ? (@.seq != null)') then
      perform pg_notify('daybook_notifications', owner::text);
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
    perform pg_notify('daybook_notifications', owner::text);
  end if;

  if change ? 'new_deliveries' then
    insert into deliveries (id, user_id, notification_id, reminder_id, fire_at, channel, target, state, attempts,
        next_attempt_at, triggered_at, delivered_at, late, reason, digest_id, version)
      select id, owner, notification_id, reminder_id, fire_at, channel, target, state, attempts,
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
      where d.id = any(ids_of(change -> 'unchanged_deliveries')) and d.user_id = owner and d.version = n.version;
    if touched <> jsonb_array_length(change -> 'unchanged_deliveries') then
      raise exception 'a delivery has another version' using errcode = 'DB001';
    end if;
  end if;

  if change ? 'changed_deliveries' then
    update deliveries d set state = n.state, attempts = n.attempts, next_attempt_at = n.next_attempt_at,
        delivered_at = n.delivered_at, reason = n.reason, digest_id = n.digest_id, version = n.version,
        lease_until = null
      from jsonb_populate_recordset(null::deliveries, change -> 'changed_deliveries') n
      where d.id = any(ids_of(change -> 'changed_deliveries')) and d.id = n.id and d.user_id = owner
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

  -- A digest that is due stays due while its time stays the same. What is held back is looked at again.
  if change ? 'preferences' then
    insert into notification_preferences as p
      select (jsonb_populate_record(null::notification_preferences,
        change -> 'preferences' || jsonb_build_object('user_id', owner))).*
      on conflict (user_id) do update set channels = excluded.channels, quiet_hours = excluded.quiet_hours,
        daily_digest_at = excluded.daily_digest_at, time_zone = excluded.time_zone, webhook_url = excluded.webhook_url,
        webhook_secret = excluded.webhook_secret, version = excluded.version, updated_at = excluded.updated_at,
        digest_lease_until = null, next_digest_at = case
          when p.daily_digest_at = excluded.daily_digest_at and p.time_zone is not distinct from excluded.time_zone
          then p.next_digest_at else excluded.next_digest_at end
      where p.version = excluded.version - 1;
    if not found then
      raise exception 'the preferences have another version' using errcode = 'DB001';
    end if;
    update deliveries set next_attempt_at = (change #>> '{preferences,updated_at}')::timestamptz, version = version + 1,
        lease_until = null
      where user_id = owner and state = 'held' and digest_id is null;
  end if;
end
$$;

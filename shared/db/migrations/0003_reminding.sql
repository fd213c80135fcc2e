-- Reminders, what they lead to, and whom they reach. The rows are the truth: a worker takes what is due from them,
-- whatever woke it (a job, an event, a timer, a restart).
create table reminders (
  id uuid primary key,
  user_id uuid not null,
  task_id uuid not null,
  origin text not null check (origin in ('user', 'task', 'default')),
  remind_at timestamptz(3),
  -- What clocks on the wall showed at remind_at in this zone when it was set; see migration 0001.
  time_zone text not null default 'UTC',
  remind_wall text,
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
create index reminders_of_user on reminders (user_id, fire_at, id) where fire_at is not null;
-- What users set for a minute is limited; what the preferences make of tasks is not, and is not read to count it.
create index reminders_set_for on reminders (user_id, fire_at) where fire_at is not null and origin <> 'default';
create index reminders_due_of_user on reminders (date_trunc('minute', fire_at at time zone 'UTC'), user_id, fire_at)
  where fire_at is not null;
-- Lists of a user: by the next firing or else the own time, those without either last.
create index reminders_in_order on reminders (user_id, (coalesce(fire_at, remind_at, 'infinity')), id)
  where deleted_at is null;
create index reminders_of_task on reminders (task_id);
create index reminders_removed on reminders (deleted_at) where deleted_at is not null and origin <> 'default';
-- The task's own remind_at is one reminder.
create unique index reminders_of_task_itself on reminders (task_id) where origin = 'task' and deleted_at is null;
-- The one that the preferences make is there once for ever: removed, it stays as long as its task.
create unique index reminders_by_default on reminders (task_id) where origin = 'default';

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
  -- The place of the event that tells the other devices.
  read_seq bigint,
  unique (user_id, source)
);
create unique index notifications_in_app on notifications (user_id, seq) where seq is not null;
create index notifications_unread on notifications (user_id, seq) where seq is not null and read_at is null;
create index notifications_read on notifications (user_id, read_seq) where read_seq is not null;
create index notifications_age on notifications (created_at);
create index notifications_of_user on notifications (user_id, created_at);

-- The ledger. Its unique indexes are the promise "once per channel", whoever fires and how often.
create table deliveries (
  id uuid primary key,
  user_id uuid not null,
  notification_id uuid not null,
  reminder_id uuid,
  task_id uuid,
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
-- And of a task, however many of its reminders have the same time.
create unique index deliveries_once_of_task on deliveries (task_id, fire_at, channel, target)
  where reminder_id is not null and state <> 'cancelled';
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
  default_reminder_minutes integer,
  time_zone text,
  webhook_url text,
  webhook_secret text,
  -- New with each URL; nothing goes there until it has answered a ping.
  webhook_id uuid,
  webhook_confirmed_at timestamptz(3),
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
  created_at timestamptz(3) not null,
  -- Nothing goes there until it has taken a first message.
  confirmed_at timestamptz(3),
  -- Signed out is told no more; null for a token of no session.
  session_id uuid references sessions (id) on delete cascade
);
create index push_subscriptions_of_session on push_subscriptions (session_id) where session_id is not null;
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
create index dead_letters_of_user on dead_letters (user_id, state);
create index dead_letters_resolved on dead_letters (resolved_at) where resolved_at is not null;

-- Tells how near a misspelt word is to others (shared/db/tasks/near-words.ts). Comes with PostgreSQL; whoever may create tables in a
-- database may create it.
create extension if not exists fuzzystrmatch;

-- Instants are derived: what a user means is a time on the wall in a zone. The columns named wall hold it as ISO 8601
-- without zone, as it was when the instant was set, so that the instant can be derived again when the rules of a zone
-- change. This is the zone database (process.versions.tz) by whose rules all of them are derived.
create table zone_database (
  single boolean primary key default true check (single),
  version text not null
);

-- One row per user: the last event sequence and the counters that keep count(*) off the list path. Every write of a
-- user locks this row first, so writes of one user are ordered and cannot deadlock with each other.
--
-- While somebody's transaction holds an old snapshot, every version of a row that was written since stays and is read
-- again by each lookup. So the key changes with every 32nd write: what looks for the highest turn reads those of one turn.
create table user_counters (
  user_id uuid not null,
  turn bigint not null default 0,
  writes bigint not null default 0,
  last_seq bigint not null default 0,
  active_tasks bigint not null default 0,
  completed_tasks bigint not null default 0,
  -- What is limited (shared/domain/quotas.ts). Deleted tasks count until they are purged.
  kept_tasks bigint not null default 0,
  open_reminders bigint not null default 0,
  kept_answers bigint not null default 0,
  answer_bytes bigint not null default 0,
  kept_notifications bigint not null default 0,
  primary key (user_id, turn)
) with (fillfactor = 50);
-- Who has more notifications than are kept; see shared/db/maintenance.ts.
create index user_counters_by_notifications on user_counters (kept_notifications);

-- As people expect it in no language in particular: the root collation, and numbers by their value. See shared/db/tasks/title-order.ts.
create collation title_order (provider = icu, locale = 'und-u-kn-true');

create table tasks (
  id uuid primary key,
  user_id uuid not null,
  title text not null,
  description text,
  priority smallint not null check (priority between 0 and 2),
  tags text[] not null,
  tag_keys text[] not null,
  completed_at timestamptz(3),
  due_date date,
  due_at timestamptz(3),
  -- due_at, or the last millisecond of due_date in the task's zone, or the end of time: one sortable column.
  due_order timestamptz(3) not null,
  due_wall text,
  time_zone text not null,
  -- The zone is the user's present one, and follows it.
  is_floating boolean not null default false,
  remind_at timestamptz(3),
  remind_wall text,
  parent_id uuid,
  position bigint not null,
  series_id uuid,
  occurrence_at timestamptz(3),
  recurrence_rule text,
  repeat_from text not null,
  -- What clients see of the series on the task: is_all_day, month_end, exdates, rdates.
  series_terms jsonb,
  version integer not null check (version > 0),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  -- Columns of their own and not expressions of an index, because only columns of a partial index have statistics.
  is_open boolean not null generated always as (completed_at is null) stored,
  priority_order smallint not null generated always as (-priority) stored,
  -- What searches find the task by: shared/db/tasks/task-search.ts.
  words tsvector not null
) with (fillfactor = 80);

create table series (
  id uuid primary key,
  user_id uuid not null,
  rule text not null,
  -- Of an all-day series (is_all_day) the dates here, and occurrence_at everywhere, are midnight UTC of the date.
  start_at timestamptz(3) not null,
  time_zone text not null,
  month_end text not null check (month_end in ('clamp', 'skip')),
  repeat_from text not null check (repeat_from in ('due', 'completion')),
  exdates timestamptz(3)[] not null,
  rdates timestamptz(3)[] not null,
  is_all_day boolean not null,
  walls jsonb,
  template jsonb not null,
  state text not null check (state in ('active', 'ended')),
  live_task_id uuid,
  generated integer not null,
  version integer not null check (version > 0),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null
);
create index series_of_user on series (user_id, id);
-- What the repair sweep looks at: normally empty but for the moment between a completion and its successor.
create index series_without_live_task on series (updated_at) where state = 'active' and live_task_id is null;

-- What ends with the task below which its next occurrence would lie, and goes on with it.
create index series_without_live_task_below on series ((template ->> 'parent_id'))
  where live_task_id is null and template ->> 'parent_id' is not null;

-- The primary key is the promise "one task per occurrence", whoever tries to make it and how often.
create table occurrences (
  series_id uuid not null,
  occurrence_at timestamptz(3) not null,
  occurrence_wall text,
  user_id uuid not null,
  state text not null check (state in ('open', 'completed', 'skipped', 'missed')),
  task_id uuid,
  closed_at timestamptz(3),
  primary key (series_id, occurrence_at)
);

create table tags (
  user_id uuid not null,
  key text not null,
  turn bigint not null,
  label text not null,
  active bigint not null,
  completed bigint not null,
  primary key (user_id, key, turn)
);

-- Append-only: outbox, change feed and source of the audit trail in one. `outbox` points at what is not published yet.
create table events (
  user_id uuid not null,
  seq bigint not null,
  id uuid not null,
  type text not null,
  -- Of `data`; what is older than its reader is read by shared/domain/upcast.ts.
  dataversion text not null,
  source text not null,
  subject text not null,
  time timestamptz(3) not null,
  data jsonb not null,
  traceparent text,
  tracestate text,
  primary key (user_id, seq)
);
create unique index events_id on events (id);

create table outbox (
  user_id uuid not null,
  seq bigint not null,
  time timestamptz(3) not null,
  primary key (user_id, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create table processed_events (
  consumer text not null,
  event_id uuid not null,
  processed_at timestamptz(3) not null,
  primary key (consumer, event_id)
);
create index processed_events_age on processed_events (processed_at);

create table idempotency_keys (
  user_id uuid not null,
  key text not null,
  fingerprint text not null,
  -- JSON as text: a retry gets the same bytes.
  answer text not null,
  expires_at timestamptz(3) not null,
  primary key (user_id, key)
);
create index idempotency_keys_age on idempotency_keys (expires_at);

-- Lists read an index range for the open and one for the completed tasks, in the order asked for: see
-- shared/db/tasks/task-reader-order.ts. With negated priorities a whole key ascends and is compared as a row.
create index tasks_by_due on tasks (user_id, is_open, due_order, priority_order, id) where deleted_at is null;
create index tasks_by_priority on tasks (user_id, is_open, priority_order, due_order, id) where deleted_at is null;
create index tasks_by_creation on tasks (user_id, is_open, created_at) where deleted_at is null;
create index tasks_by_update on tasks (user_id, is_open, updated_at) where deleted_at is null;
create index tasks_by_title on tasks (user_id, is_open, title collate title_order) where deleted_at is null;
create index tasks_by_place on tasks (user_id, is_open, position) where deleted_at is null;
-- Lists of completed and of deleted tasks: nothing to write while a task is open.
create index tasks_by_completion on tasks (user_id, is_open, completed_at) where deleted_at is null and completed_at is not null;
create index tasks_deleted on tasks (user_id, deleted_at) where deleted_at is not null;
create index tasks_recurring on tasks (user_id, is_open, due_order) where deleted_at is null and recurrence_rule is not null;
create index tasks_by_series on tasks (series_id) where series_id is not null and is_open and deleted_at is null;
create index tasks_floating on tasks (user_id) where is_floating and is_open and deleted_at is null;
create index tasks_by_parent on tasks (parent_id) where parent_id is not null;
create index tasks_by_deletion on tasks (deleted_at) where deleted_at is not null;
-- Words go straight into the index: a list of those still to be sorted in would be read by every search.
create index tasks_by_words on tasks using gin (words) with (fastupdate = off) where deleted_at is null;

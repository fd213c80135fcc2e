-- The words of a task as lexemes of its owner and side: six characters of the user id, o for an open and c for a completed
-- task, then the word; tags with # in between, and ! before the priority. So a search reads only what belongs to its
-- user, however many others use the same word, and the planner knows how often a word is in open tasks. Long words are
-- cut, because a lexeme has a largest size; the collation makes case and letters independent of the server's locale.
-- Accents are left out (combining diacritical marks, U+0300 to U+036F), so that cafe and café find each other.
create function task_words(
  owner uuid, is_open boolean, priority smallint, tag_keys text[], title text, description text) returns tsvector
language plpgsql immutable parallel safe as $$
declare
  prefix constant text := right(owner::text, 6) || case when is_open then 'o' else 'c' end;
  written constant text := title || ' ' || coalesce(description, '');
  content constant text := lower(case when octet_length(written) = length(written) then written
    else normalize(regexp_replace(normalize(written, nfd), '[\u0300-\u036f]', '', 'g')) end collate pg_c_utf8);
  word text;
  lexemes text[] := array[prefix || '!' || priority];
begin
  foreach word in array string_to_array(regexp_replace(content collate pg_c_utf8, '[^[:alnum:]]+', ' ', 'g'), ' ') loop
    if word <> '' then
      lexemes := lexemes || (prefix || left(word, 200));
    end if;
  end loop;
  foreach word in array tag_keys loop
    lexemes := lexemes || (prefix || '#' || word);
  end loop;
  return array_to_tsvector(lexemes);
end
$$;

-- One row per user: the last event sequence and the counters that keep count(*) off the list path. Every write of a
-- user locks this row first, so writes of one user are ordered and cannot deadlock with each other.
create table user_counters (
  user_id uuid primary key,
  last_seq bigint not null default 0,
  active_tasks bigint not null default 0,
  completed_tasks bigint not null default 0
) with (fillfactor = 50);

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
  time_zone text not null,
  remind_at timestamptz(3),
  parent_id uuid,
  position bigint not null,
  series_id uuid,
  occurrence_at timestamptz(3),
  recurrence_rule text,
  repeat_from text not null,
  version integer not null check (version > 0),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  -- Columns of their own and not expressions of an index, because only columns of a partial index have statistics.
  is_open boolean not null generated always as (completed_at is null) stored,
  priority_order smallint not null generated always as (-priority) stored,
  words tsvector not null generated always as (
    task_words(user_id, completed_at is null, priority, tag_keys, title, description)) stored
) with (fillfactor = 80);

create table series (
  id uuid primary key,
  user_id uuid not null,
  rule text not null,
  start_at timestamptz(3) not null,
  time_zone text not null,
  month_end text not null check (month_end in ('clamp', 'skip')),
  repeat_from text not null check (repeat_from in ('due', 'completion')),
  exdates timestamptz(3)[] not null,
  rdates timestamptz(3)[] not null,
  is_all_day boolean not null,
  template jsonb not null,
  state text not null check (state in ('active', 'ended')),
  live_task_id uuid,
  generated integer not null,
  version integer not null check (version > 0),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null
);
-- What the repair sweep looks at: normally empty but for the moment between a completion and its successor.
create index series_without_live_task on series (updated_at) where state = 'active' and live_task_id is null;

-- The primary key is the promise "one task per occurrence", whoever tries to make it and how often.
create table occurrences (
  series_id uuid not null,
  occurrence_at timestamptz(3) not null,
  user_id uuid not null,
  state text not null check (state in ('open', 'completed', 'skipped', 'missed')),
  task_id uuid,
  closed_at timestamptz(3),
  primary key (series_id, occurrence_at)
);

create table tags (
  user_id uuid not null,
  key text not null,
  label text not null,
  active bigint not null,
  completed bigint not null,
  primary key (user_id, key)
);

-- Append-only: outbox, change feed and source of the audit trail in one. `outbox` points at what is not published yet.
create table events (
  user_id uuid not null,
  seq bigint not null,
  id uuid not null,
  type text not null,
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
-- shared/db/task-reader-order.ts. With negated priorities a whole key ascends and is compared as a row.
create index tasks_by_due on tasks (user_id, is_open, due_order, priority_order, id) where deleted_at is null;
create index tasks_by_priority on tasks (user_id, is_open, priority_order, due_order, id) where deleted_at is null;
create index tasks_by_creation on tasks (user_id, is_open, created_at) where deleted_at is null;
create index tasks_by_update on tasks (user_id, is_open, updated_at) where deleted_at is null;
create index tasks_by_title on tasks (user_id, is_open, lower(title collate pg_c_utf8)) where deleted_at is null;
create index tasks_by_place on tasks (user_id, is_open, position) where deleted_at is null;
create index tasks_recurring on tasks (user_id, is_open, due_order) where deleted_at is null and recurrence_rule is not null;
create index tasks_by_series on tasks (series_id) where series_id is not null;
create index tasks_by_parent on tasks (parent_id) where parent_id is not null;
create index tasks_by_deletion on tasks (deleted_at) where deleted_at is not null;
-- Words go straight into the index: a list of those still to be sorted in would be read by every search.
create index tasks_by_words on tasks using gin (words) with (fastupdate = off) where deleted_at is null;

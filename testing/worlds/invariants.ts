import type { Sql } from '../../shared/db/connect.ts'

/**
 * Recounts everything that is kept twice, from the tables alone, and names what does not agree. Empty when all is well:
 * whatever was written, in whatever order and by however many at once.
 */
export async function invariantViolations(sql: Sql): Promise<string[]> {
  const rows = await sql<{ fault: string }[]>`
    with counted as (
      select user_id, count(*) filter (where completed_at is null) as active,
        count(*) filter (where completed_at is not null) as completed
      from tasks where deleted_at is null group by user_id),
    tagged as (
      select user_id, key, count(*) filter (where completed_at is null) as active,
        count(*) filter (where completed_at is not null) as completed
      from tasks, unnest(tag_keys) key where deleted_at is null group by user_id, key),
    shown as (
      select user_id, data #>> '{task,id}' as id, (data #>> '{task,version}')::int as version
        from events where data ? 'task'
      union all
      select user_id, place ->> 'task_id', (place ->> 'version')::int
        from events, jsonb_array_elements(data -> 'positions') place where type = 'task.reordered'),
    numbered as (
      select user_id, seq, row_number() over (partition by user_id order by seq) as place from events)
    select 'counters of ' || user_id as fault from user_counters c full join counted t using (user_id)
      where coalesce(c.active_tasks, 0) <> coalesce(t.active, 0)
        or coalesce(c.completed_tasks, 0) <> coalesce(t.completed, 0)
    union all
    select 'what is limited of ' || user_id from user_counters c where (kept_tasks, open_reminders, kept_answers,
        answer_bytes, kept_notifications) <> (
      (select count(*) from tasks t where t.user_id = c.user_id),
      (select count(*) from reminders r where r.user_id = c.user_id and r.fire_at is not null
        and r.origin <> 'default'),
      (select count(*) from idempotency_keys i where i.user_id = c.user_id),
      (select coalesce(sum(octet_length(answer)), 0) from idempotency_keys i where i.user_id = c.user_id),
      (select count(*) from notifications n where n.user_id = c.user_id))
    union all
    select 'tag ' || key from tags g full join tagged t using (user_id, key)
      where coalesce(g.active, 0) <> coalesce(t.active, 0)
        or coalesce(g.completed, 0) <> coalesce(t.completed, 0)
    union all
    select 'sequence of ' || user_id || ' at ' || seq from numbered
      -- Of a deleted account the last event is kept, and no other.
      where seq <> place and user_id not in (select user_id from deleted_accounts)
    union all
    select 'counters of ' || user_id || ' in ' || count(*) || ' rows' from user_counters
      group by user_id having count(*) > 1
    union all
    select 'last sequence of ' || user_id from user_counters c
      where last_seq <> (select count(*) from events e where e.user_id = c.user_id)
    union all
    select 'live task of series ' || s.id from series s left join tasks t on t.id = s.live_task_id
      where s.live_task_id is not null and (
        t.id is null or t.completed_at is not null or t.deleted_at is not null or t.series_id <> s.id
        or t.recurrence_rule is distinct from s.rule or s.state <> 'active')
    union all
    select 'task ' || t.id || ' recurs and is not live' from tasks t left join series s on s.id = t.series_id
      where t.recurrence_rule is not null and t.completed_at is null and t.deleted_at is null
        and s.live_task_id is distinct from t.id
    union all
    select 'occurrence ' || o.occurrence_at || ' is ' || o.state || ' with task ' || coalesce(t.id::text, 'none')
      from occurrences o left join tasks t on t.id = o.task_id
      where (o.state = 'missed') <> (o.task_id is null)
        or (o.state = 'open' and t.series_id is distinct from o.series_id)
        or (o.state <> 'open') <> (o.closed_at is not null)
        or (t.series_id = o.series_id and (t.occurrence_at <> o.occurrence_at
          or o.state <> case when t.completed_at is not null then 'completed'
            when t.deleted_at is not null then 'skipped' else 'open' end))
    union all
    select 'task ' || t.id || ' has no occurrence' from tasks t
      left join occurrences o on o.series_id = t.series_id and o.occurrence_at = t.occurrence_at
      where t.series_id is not null and o.task_id is distinct from t.id
    union all
    select 'event of task ' || t.id || ' does not show its version' from tasks t
      where not exists (select from shown s
        where s.user_id = t.user_id and s.id = t.id::text and s.version = t.version)`
  return rows.map((row) => row.fault)
}

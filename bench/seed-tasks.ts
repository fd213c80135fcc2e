import { v7 } from 'uuid'
import type { Sql } from '../shared/db/connect.ts'

export const HEAVY_TASKS = 100_000
export const USERS = 1000
export const TASKS_PER_USER = 200

export interface Seeded {
  heavyUser: string
  users: string[]
  /** Open tasks of the heavy user. */
  openTasks: string[]
}

const WORDS = [
  'report',
  'finance',
  'garden',
  'invoice',
  'meeting',
  'doctor',
  'kitchen',
  'travel',
  'review',
  'budget',
  'call',
  'write',
  'buy',
  'plan',
  'fix',
  'clean',
  'prepare',
  'send',
  'check',
  'read',
]
const TAGS = ['home', 'work', 'errand', 'health', 'money', 'family', 'later', 'urgent']

/**
 * One user with 100,000 tasks and 1,000 users with 200 each, written in two statements. None wants default reminders: what is
 * measured is a task with its events.
 */
export async function seedTasks(sql: Sql): Promise<Seeded> {
  const heavyUser = v7()
  const users = Array.from({ length: USERS }, () => v7())
  const loader = await sql.reserve()
  await loader`set statement_timeout = 0`
  await insert(loader, [heavyUser], HEAVY_TASKS)
  await insert(loader, users, TASKS_PER_USER)
  await loader`
    insert into notification_preferences (user_id, channels, version, updated_at)
    select id::uuid, '{}', 1, now() from unnest(${[heavyUser, ...users]}::text[]) id`
  await loader`vacuum analyze`
  await loader`checkpoint`
  await loader`reset statement_timeout`
  loader.release()
  const open = await sql<{ id: string }[]>`
    select id from tasks where user_id = ${heavyUser} and completed_at is null order by id limit 40000`
  return { heavyUser, users, openTasks: open.map((row) => row.id) }
}

/** What `searchVector` (shared/db/tasks/task-search.ts) gives for plain words with blanks between them. */
export const wordsOf = (sql: Sql) => sql`
  array_to_tsvector(array(
    select right(user_id::text, 6) || case when completed_at is null then 'o' else 'c' end || lexeme
    from (select unnest(string_to_array(lower(concat_ws(' ', title, description)), ' '))
      union select '=' || unnest(tag_keys) union select '!' || priority) lexemes (lexeme)))`

async function insert(sql: Sql, users: string[], perUser: number): Promise<void> {
  await sql`
    insert into tasks (id, user_id, title, description, priority, tags, tag_keys, completed_at, due_date, due_at,
      due_order, time_zone, position, recurrence_rule, repeat_from, version, created_at, updated_at, words)
    select *, ${wordsOf(sql)} from (select uuidv7() as id, u.id::uuid as user_id,
      initcap(w[1 + n % 20]) || ' ' || w[1 + (n / 7) % 20] || ' ' || w[1 + (n / 31) % 20] || ' ' || n as title,
      case when n % 3 = 0 then w[1 + (n / 3) % 20] || ' and ' || w[1 + (n / 11) % 20] end as description, n % 3 as priority,
      array[t[1 + n % 8]], array[t[1 + n % 8]] as tag_keys, case when n % 4 = 0 then now() - n * interval '1 minute' end as completed_at,
      (now() + n * interval '7 minutes')::date, now() + n * interval '7 minutes', now() + n * interval '7 minutes',
      'UTC', (extract(epoch from now())::bigint * 1000 - ${perUser}::int + n) * 1024, null, 'due', 1, now(), now()
    from unnest(${users}::text[]) u (id), generate_series(1, ${perUser}::int) n,
      (select ${WORDS}::text[] as w, ${TAGS}::text[] as t) words) task`
  await sql`
    insert into user_counters (user_id, active_tasks, completed_tasks)
    select user_id, count(*) filter (where completed_at is null), count(*) filter (where completed_at is not null)
    from tasks where user_id = any(${users}::uuid[]) group by user_id`
}

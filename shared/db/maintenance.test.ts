import postgres from 'postgres'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { connect, type Sql } from './connect.ts'
import { createHousekeeping } from './maintenance.ts'

const target = await testDatabaseTarget()
const sql = connect(target, { max: 5, applicationName: 'test' })
afterAll(() => sql.end({ timeout: 1 }))
const NOW = new Date('2026-11-22T10:00:00.000Z')
const BATCH = 10
const NOBODY = '00000000-0000-0000-0000-000000000000'
const limits = {
  marksBefore: NOW,
  deletedBefore: NOW,
  notificationsBefore: NOW,
  resolvedBefore: NOW,
  batch: BATCH,
  notificationsPerUser: 100,
}
const purge = (by: Sql = sql) => createHousekeeping(by).purge(NOW, limits)

/** `count` notifications that ended a millisecond ago, two deliveries each. */
async function told(count: number, { at = NOW.getTime() - 1, state = 'delivered' } = {}): Promise<void> {
  await sql`
    with new as (
      insert into notifications (id, user_id, source, type, title, body, late, created_at)
      select gen_random_uuid(), gen_random_uuid(), 'event/' || n, 'notice', 't', 'b', false, ${new Date(at)}
      from generate_series(1, ${count}::int) n returning *)
    insert into deliveries (id, user_id, notification_id, fire_at, channel, target, state, attempts, triggered_at, late,
      version)
    select gen_random_uuid(), user_id, id, created_at, channel, ${NOBODY}::uuid,
      case channel when 'email' then ${state} else 'delivered' end, 1, created_at, false, 1
    from new cross join unnest(array['in_app', 'email']) c (channel)`
  await counted()
}

/** `count` tasks deleted a millisecond ago, and one that is not, with three reminders each. */
async function deleted(count: number): Promise<void> {
  await sql`
    with new as (
      insert into tasks (id, user_id, title, priority, tags, tag_keys, due_order, time_zone, position, repeat_from,
        version, created_at, updated_at, words, deleted_at)
      select gen_random_uuid(), gen_random_uuid(), 't', 1, '{}', '{}', ${NOW}, 'UTC', n, 'due', 1, ${NOW}, ${NOW}, '',
        case when n > 0 then ${NOW}::timestamptz - interval '1 ms' end
      from generate_series(0, ${count}::int) n returning *)
    insert into reminders (id, user_id, task_id, origin, version, created_at, updated_at)
    select gen_random_uuid(), user_id, id, 'user', 1, created_at, created_at from new, generate_series(1, 3)`
  await counted()
}

/** `count` letters settled a millisecond ago. */
async function settled(count: number, state = 'replayed'): Promise<void> {
  await sql`
    insert into dead_letters (id, event_id, consumer, type, reason, letter, state, times, received_at, resolved_at)
    select gen_random_uuid(), gen_random_uuid(), 'c', 't', 'r', '{}', ${state}, 1, ${NOW}::timestamptz - interval '1 year',
      case ${state} when 'open' then null else ${NOW}::timestamptz - interval '1 ms' end
    from generate_series(1, ${count}::int)`
}

/** Rows of notifications, deliveries, tasks, reminders and dead letters. */
async function counts(): Promise<number[]> {
  const [row] = await sql<{ counts: number[] }[]>`select array[(select count(*) from notifications),
    (select count(*) from deliveries), (select count(*) from tasks), (select count(*) from reminders),
    (select count(*) from dead_letters)]::int[] as counts`
  return row!.counts
}

/** Counters of everybody who has something, as their writes would have left them. */
const counted = () => sql`
  insert into user_counters (user_id, kept_tasks, kept_answers, answer_bytes, kept_notifications)
  select user_id, sum(tasks), sum(answers), sum(bytes), sum(notifications) from (
    select user_id, 1 as tasks, 0 as answers, 0 as bytes, 0 as notifications from tasks
    union all select user_id, 0, 1, octet_length(answer), 0 from idempotency_keys
    union all select user_id, 0, 0, 0, 1 from notifications) each group by user_id
  on conflict (user_id, turn) do update set kept_tasks = excluded.kept_tasks, kept_answers = excluded.kept_answers,
    answer_bytes = excluded.answer_bytes, kept_notifications = excluded.kept_notifications`

beforeEach(() => sql`truncate notifications, deliveries, tasks, reminders, dead_letters, user_counters`)

describe('housekeeping', () => {
  it('removes sessions, tickets and counts of failed sign-ins after their time, a batch at a time', async () => {
    // Twelve of each that ended a millisecond ago, and one that ends now.
    await sql`insert into sessions (id, user_id, seed, token_digest, created_at, expires_at, version)
      select gen_random_uuid(), gen_random_uuid(), '', '', ${NOW}, ${NOW}::timestamptz - least(n, 1) * interval '1 ms', 1
      from generate_series(0, 12) n`
    await sql`insert into tickets (digest, user_id, purpose, actor, expires_at)
      select n::text, gen_random_uuid(), 'stream', '{}', ${NOW}::timestamptz - least(n, 1) * interval '1 ms'
      from generate_series(0, 12) n`
    await sql`insert into login_counts (key, count, resets_at)
      select n::text, 1, ${NOW}::timestamptz - least(n, 1) * interval '1 ms' from generate_series(0, 12) n`
    const left = async () => {
      const [row] = await sql<{ counts: number[] }[]>`select array[(select count(*) from sessions),
        (select count(*) from tickets), (select count(*) from login_counts)]::int[] as counts`
      return row?.counts
    }
    expect(await purge()).toBe(BATCH)
    expect(await left()).toEqual([3, 3, 3])
    expect(await purge()).toBe(2)
    expect(await left()).toEqual([1, 1, 1])
    expect(await purge()).toBe(0)
  })

  it('removes what was told long ago with its deliveries, and what is deleted with its reminders, in batches', async () => {
    await told(12)
    await told(1, { at: NOW.getTime() })
    await deleted(12)
    await settled(12)
    await settled(1, 'open')
    expect(await counts()).toEqual([13, 26, 13, 39, 13])
    expect(await purge()).toBe(BATCH)
    expect(await counts()).toEqual([3, 6, 3, 9, 3])
    expect(await purge()).toBe(2)
    expect(await counts()).toEqual([1, 2, 1, 3, 1])
    expect(await purge()).toBe(0)
  })

  it('takes from the counters of a user what it removes of theirs, and passes by who is writing', async () => {
    await deleted(12)
    await told(3)
    await sql`insert into idempotency_keys (user_id, key, fingerprint, answer, expires_at)
      select user_id, id, '', 'äöü', ${NOW}::timestamptz - interval '1 ms' from tasks`
    await counted()
    const sums = () =>
      sql`select sum(kept_tasks)::int, sum(kept_answers)::int, sum(answer_bytes)::int,
      sum(kept_notifications)::int from user_counters`.values()
    expect(await sums()).toEqual([[13, 13, 78, 3]])
    const other = connect(target, { max: 1, applicationName: 'test' })
    await sql.begin(async (tx) => {
      await tx`select from user_counters where user_id in (select user_id from tasks where deleted_at is not null limit 1) for update`
      while ((await purge(other)) > 0);
    })
    await other.end({ timeout: 1 })
    expect(await sums()).toEqual([[2, 1, 6, 0]])
    await purge()
    expect(await sums()).toEqual([[1, 0, 0, 0]])
    expect(await counts()).toEqual([0, 0, 1, 3, 0])
  })

  it('keeps what is restored or replayed while it is at work, and the counters agree', async () => {
    await deleted(1)
    await told(2, { state: 'failed' })
    await sql`insert into idempotency_keys (user_id, key, fingerprint, answer, expires_at)
      select gen_random_uuid(), gen_random_uuid(), '', '', ${NOW}::timestamptz - interval '1 ms'`
    await counted()
    // The first that the purge removes makes it wait, with what it has seen, until the restore is committed.
    await sql`create function wait_in_purge() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(4711); return old; end $$`
    await sql`create trigger wait_in_purge before delete on idempotency_keys for each row execute function wait_in_purge()`
    const other = connect(target, { max: 1, applicationName: 'test' })
    const purged = await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(4711)`
      const purging = purge(other)
      await expect
        .poll(() => sql`select from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`)
        .toHaveLength(1)
      await sql`update tasks set deleted_at = null, version = version + 1`
      await sql`update deliveries d set state = 'triggered' from notifications n
        where n.id = d.notification_id and n.source = 'event/1' and d.state = 'failed'`
      return { purging }
    })
    await purged.purging
    await other.end({ timeout: 1 })
    await sql`drop trigger wait_in_purge on idempotency_keys`
    await sql`drop function wait_in_purge`
    expect(await counts()).toEqual([1, 2, 2, 6, 0])
    expect(
      await sql`select sum(kept_tasks)::int, sum(kept_answers)::int, sum(kept_notifications)::int
        from user_counters`.values(),
    ).toEqual([[2, 0, 1]])
  })

  it('keeps so many notifications of one user: the oldest beyond go, but none that is still to be delivered', async () => {
    await told(130, { at: NOW.getTime() + 1 })
    await sql`update notifications set user_id = ${NOBODY}, created_at = created_at + right(source, -6)::int * interval '1 ms'`
    await sql`update deliveries d set state = 'held' from notifications n
      where n.id = d.notification_id and n.source = 'event/1'`
    await told(5, { at: NOW.getTime() + 1 })
    while ((await purge()) > 0);
    const [left] = await sql<{ kept: number; oldest: string[] }[]>`
      select count(*)::int as kept, array_agg(source order by created_at) as oldest from notifications where user_id = ${NOBODY}`
    expect([left!.kept, left!.oldest.slice(0, 2)]).toEqual([101, ['event/1', 'event/31']])
    expect(
      await sql`select kept_notifications::int from user_counters where user_id = ${NOBODY}`.values(),
    ).toEqual([[101]])
    expect((await counts()).slice(0, 2)).toEqual([106, 212])
  })

  it('removes reminders that were taken away long ago from tasks that are still there, but the default one', async () => {
    await deleted(0)
    await sql`insert into reminders (id, user_id, task_id, origin, version, created_at, updated_at, deleted_at)
      select gen_random_uuid(), t.user_id, t.id, 'user', 1, ${NOW}, ${NOW}, ${NOW}::timestamptz - least(n, 1) * interval '1 ms'
      from tasks t, generate_series(0, 12) n`
    await sql`insert into reminders (id, user_id, task_id, origin, version, created_at, updated_at, deleted_at)
      select gen_random_uuid(), user_id, id, 'default', 1, ${NOW}, ${NOW}, ${NOW}::timestamptz - interval '1 year' from tasks`
    expect(await counts()).toEqual([0, 0, 1, 17, 0])
    expect([await purge(), await purge(), await purge()]).toEqual([BATCH, 2, 0])
    expect(await counts()).toEqual([0, 0, 1, 5, 0])
  })

  it.each(['triggered', 'held'])('keeps what is still to be delivered, however old: %s', async (state) => {
    await told(3, { state })
    expect(await purge()).toBe(0)
    await sql`update deliveries set state = 'failed' where state = ${state}`
    expect(await purge()).toBe(3)
    expect((await counts()).slice(0, 2)).toEqual([0, 0])
  })

  it('shares the work between replicas: nobody waits, nothing is left', async () => {
    await told(35)
    await deleted(35)
    await settled(35)
    const other = connect(target, { max: 1, applicationName: 'test' })
    // One replica holds its batch while the other goes on with the rest.
    const [mine, theirs] = await sql.begin(async (tx) => {
      const first = await purge(tx as unknown as Sql)
      const found: number[] = []
      for (let count = BATCH; count > 0; found.push(count)) count = await purge(other)
      return [first, found]
    })
    await other.end({ timeout: 1 })
    expect([mine, theirs]).toEqual([10, [10, 10, 5, 0]])
    expect(await counts()).toEqual([0, 0, 1, 3, 0])
  })

  it('finds all of it by indexes', async () => {
    await told(3000, { at: NOW.getTime() + 1 })
    await told(20)
    await deleted(20)
    await settled(3000, 'open')
    await settled(20)
    await sql`insert into reminders (id, user_id, task_id, origin, version, created_at, updated_at)
      select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'user', 1, ${NOW}, ${NOW} from generate_series(1, 5000)`
    await sql`update reminders set deleted_at = ${NOW}::timestamptz - interval '1 ms' where id in (select id from reminders limit 20)`
    await sql`vacuum analyze notifications, deliveries, reminders, dead_letters`
    const plans: string[] = []
    const explained = postgres({
      ...target,
      max: 1,
      onnotice: (notice: { message?: string }) => plans.push(notice.message ?? ''),
      connection: {
        session_preload_libraries: 'auto_explain',
        'auto_explain.log_min_duration': '0',
        'auto_explain.log_level': 'notice',
        client_min_messages: 'notice',
      },
    }) as unknown as Sql
    expect(await purge(explained)).toBe(BATCH)
    await explained.end()
    const plan = plans.join('\n')
    for (const index of [
      'notifications_age',
      'deliveries_notification_id',
      'reminders_of_task',
      'reminders_removed',
      'dead_letters_resolved',
    ]) {
      expect(plan).toContain(index)
    }
    expect(plan).not.toMatch(/Seq Scan on (notifications|deliveries|reminders|dead_letters)/)
  })
})

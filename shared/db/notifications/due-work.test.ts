import { describe, expect, it } from 'vitest'
import type { DueReminder, ReminderQueue } from '../../app/reminders/ports.ts'
import type { Reminder } from '../../domain/reminders/reminder.ts'
import { systemIds } from '../../kit/system.ts'
import { aReminder } from '../../../testing/builders/a-reminder.ts'
import { aChange, aTask, NOON } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createChangeStore } from '../changes/change-store.ts'
import type { Sql } from '../connect.ts'
import { DUE_ROWS } from '../due-rows.ts'
import { createReminderQueue } from '../reminders/reminder-queue.ts'

const sql = await testDatabase()
const changes = createChangeStore(sql)
const queue = createReminderQueue(sql)

const claim = (now = NOON, limit = 500) => ({ now, leaseUntil: new Date(now.getTime() + 30_000), limit })
const after = (seconds: number) => new Date(NOON.getTime() + seconds * 1000)
const ids = (due: readonly DueReminder[]) => due.map(({ reminder }) => reminder.id)

/** The only reminders there are, of one user. */
async function given(...wanted: Partial<Reminder>[]): Promise<Reminder[]> {
  await sql`truncate reminders`
  const userId = systemIds.uuid()
  const newReminders = wanted.map((over) => aReminder({ ...over, userId }))
  await changes.commit(aChange(userId, { newReminders }))
  return newReminders
}

describe('the queue of reminders', () => {
  it('hands out what is due, the earliest first, and nothing twice', async () => {
    const [second, first, later] = await given(
      { remindAt: after(-1) },
      { remindAt: after(-2) },
      { remindAt: after(1) },
    )
    expect(ids(await queue.claimDue(claim()))).toEqual([first!.id, second!.id])
    expect(await queue.claimDue(claim())).toEqual([])
    expect(ids(await queue.claimDue(claim(after(1))))).toEqual([later!.id])
  })

  it('hands out what was claimed when the lease is over, or to who renews it', async () => {
    const [one] = await given({})
    const mine = claim()
    await queue.claimDue(mine)
    expect(await queue.claimOne(one!.id, claim(after(29)))).toEqual([])
    const renewed = { ...claim(after(29)), renews: mine.leaseUntil }
    expect(ids(await queue.claimOne(one!.id, renewed))).toEqual([one!.id])
    expect(await queue.claimOne(one!.id, claim(after(58)))).toEqual([])
    expect(ids(await queue.claimOne(one!.id, claim(after(59))))).toEqual([one!.id])
  })

  it('gives each reminder to one of many workers', async () => {
    await given(...Array.from({ length: 60 }, () => ({})))
    const twelve = () => Promise.all(Array.from({ length: 12 }, () => queue.claimDue(claim(NOON, 7))))
    const all: string[] = []
    // What others hold just then is passed by, so not everything is taken in the first round.
    for (let taken = await twelve(); taken.some(({ length }) => length > 0); taken = await twelve()) {
      all.push(...taken.flatMap(ids))
    }
    expect([all.length, new Set(all).size]).toEqual([60, 60])
  })

  it('lets users take turns: one with 4,000 at the same instant keeps nobody waiting', async () => {
    const many = await given(...Array.from({ length: 4000 }, () => ({ remindAt: after(-1) })))
    const [crowd, other] = [many[0]!.userId, systemIds.uuid()]
    // Of the same instant, and behind all of those by their ids.
    const late = [0, 1].map(() => aReminder({ userId: other, remindAt: after(-1) }))
    await changes.commit(aChange(other, { newReminders: late }))
    const owners = async (now = NOON) =>
      (await queue.claimDue(claim(now))).map(({ reminder }) => reminder.userId)
    const first = await owners()
    expect(first.slice(0, 4)).toEqual([crowd, other, crowd, other])
    // What comes up while those are fired is in the next batch.
    await changes.commit(aChange(other, { newReminders: [aReminder({ userId: other, remindAt: NOON })] }))
    const second = await owners()
    expect(second[1]).toBe(other)
    expect([first.length, second.length]).toEqual([22, 21])
    let left = 4000 - 40
    while (left > 0) left -= (await owners()).length
    expect([left, await owners()]).toEqual([0, []])
  })

  it('claims at once for who is due after five others with 5,000 each', async () => {
    await given()
    await sql`
      insert into reminders (id, user_id, task_id, origin, remind_at, fire_at, version, created_at, updated_at)
      select gen_random_uuid(), u.id, gen_random_uuid(), 'user', at, at, 1, now(), now()
      from (select gen_random_uuid() as id from generate_series(1, 5)) u
      cross join lateral (
        select ${after(-60)}::timestamptz + n * interval '10 ms' as at from generate_series(1, 5000) n) times`
    const innocent = aReminder({ remindAt: after(-1) })
    await changes.commit(aChange(innocent.userId, { newReminders: [innocent] }))
    expect(ids(await queue.claimDue(claim()))).toContain(innocent.id)
  })

  it('looks at a thousand users at a time, and at the others when those have been served', async () => {
    await given()
    await sql`
      insert into reminders (id, user_id, task_id, origin, remind_at, fire_at, version, created_at, updated_at)
      select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'user', at, at, 1, now(), now()
      from (select ${after(-90)}::timestamptz as at from generate_series(1, 1200)) users`
    const last = aReminder({ remindAt: after(-1) })
    await changes.commit(aChange(last.userId, { newReminders: [last] }))
    const rounds = [
      await queue.claimDue(claim()),
      await queue.claimDue(claim()),
      await queue.claimDue(claim()),
    ]
    expect(rounds.map((round) => round.length)).toEqual([500, 500, 201])
    expect(ids(rounds[2]!)).toContain(last.id)
  })

  it('brings along the task as it is, and whom it is for', async () => {
    const userId = systemIds.uuid()
    const task = aTask({
      userId,
      tags: ['home'],
      dueAt: after(60),
      dueDate: '2026-03-02',
      timeZone: 'Asia/Tokyo',
    })
    const reminder = aReminder({ userId, taskId: task.id, channels: ['email'], offsetMinutes: 1 })
    await sql`insert into users values (${userId}, 'someone@example.org', 'x', 'Europe/Berlin', now(), now())`
    const channels = { reminder: ['email'] }
    const quietHours = { start: '22:00', end: '07:00' }
    await sql`insert into notification_preferences (user_id, channels, quiet_hours, version, updated_at)
      values (${userId}, ${sql.json(channels)}, ${sql.json(quietHours)}, 3, now())`
    const device = systemIds.uuid()
    await sql`insert into push_subscriptions values (${device}, ${userId}, 'mobile_push', 'token', null, now(), now())`
    await changes.commit(aChange(userId, { newTasks: [task], newReminders: [reminder] }))
    const [due] = await queue.claimOne(reminder.id, claim())
    expect(due).toMatchObject({ reminder, task, hasFired: false, alreadyNotified: [] })
    expect(due!.audience).toMatchObject({
      userId,
      timeZone: 'Europe/Berlin',
      hasEmail: true,
      isEmailConfirmed: true,
      subscriptions: [{ id: device, channel: 'mobile_push', isConfirmed: true }],
      preferences: { channels: { reminder: ['email'], notice: ['in_app'] }, quietHours, version: 3 },
    })
  })

  it("does not bring along a task of another user's", async () => {
    const task = aTask()
    await changes.commit(aChange(task.userId, { newTasks: [task] }))
    const [reminder] = await given({ taskId: task.id })
    expect((await queue.claimOne(reminder!.id, claim()))[0]!.task).toBeNull()
  })

  it('knows when there is something to do next', async () => {
    await given()
    expect(await queue.nextDueAt()).toBeNull()
    await given({ remindAt: null })
    expect(await queue.nextDueAt()).toBeNull()
    const [soon] = await given({ remindAt: after(0) }, { remindAt: after(90) })
    expect(await queue.nextDueAt()).toEqual(NOON)
    await queue.claimDue(claim())
    expect(await queue.nextDueAt()).toEqual(after(30))
    expect(await queue.fireAtOf(soon!.id)).toEqual(NOON)
    expect(await queue.fireAtOf(systemIds.uuid())).toBeNull()
  })
})

it('among many reminders that are to come, what is due is found by its index', async () => {
  await given({ remindAt: after(-1) })
  await sql`insert into reminders (id, user_id, task_id, origin, remind_at, fire_at, version, created_at, updated_at)
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'user', at, at, 1, now(), now()
    from (select ${after(0)}::timestamptz + n * interval '1 minute' as at from generate_series(1, 20000) n) times`
  await sql`analyze reminders`
  /** How the table is read by work in a transaction of its own: whole, or so many rows by an index. */
  const reads = async (work: (queue: ReminderQueue, tx: Sql) => Promise<unknown>) =>
    await sql.begin(async (begun) => {
      const tx = begun as unknown as Sql
      const soFar = async () => {
        const [row] = await tx<{ whole: number; rows: number }[]>`
          select seq_scan::int as whole, idx_tup_fetch::int as rows
          from pg_stat_xact_user_tables where relname = 'reminders'`
        return row!
      }
      const before = await soFar()
      await work(createReminderQueue(tx), tx)
      const after = await soFar()
      return { whole: after.whole - before.whole, rows: after.rows - before.rows }
    })
  const few = { whole: 0, rows: expect.toSatisfy((rows: number) => rows < 20) as number }
  expect(await reads((queue) => queue.claimDue(claim()))).toEqual(few)
  expect(await reads((queue) => queue.claimOne(systemIds.uuid(), claim()))).toEqual(few)
  const thousand = { whole: 0, rows: expect.toSatisfy((rows: number) => rows <= 1010) as number }
  expect(await reads((queue) => queue.nextDueAt())).toEqual(thousand)
  // Later in this minute.
  await sql`update reminders set fire_at = ${after(10)}, lease_until = null
    where id in (select id from reminders order by fire_at desc limit 5000)`
  expect(await reads((queue) => queue.claimDue(claim()))).toEqual(few)
  await sql`update reminders set fire_at = fire_at + interval '1000 years'`
  await sql`analyze reminders`
  expect(await reads((_, tx) => tx.unsafe(DUE_ROWS.dueReminders))).toEqual(few)
  // Of what is due, it reads so many as take turns, and none of what is to come.
  await sql`update reminders set user_id = ${systemIds.uuid()}, lease_until = null, fire_at = ${after(-1)}
    where id in (select id from reminders limit 12000)`
  await sql`vacuum analyze reminders`
  const turns = { whole: 0, rows: expect.toSatisfy((rows: number) => rows < 1000) as number }
  expect(await reads((queue) => queue.claimDue(claim()))).toEqual(turns)
})

it('on Kubernetes, what is due within half a minute wakes the worker, and what is claimed keeps it awake', async () => {
  const now = Date.now()
  const inSeconds = (seconds: number) => ({ remindAt: new Date(now + seconds * 1000) })
  await given(inSeconds(-5), inSeconds(-1), inSeconds(20), inSeconds(3600), { remindAt: null })
  await queue.claimDue({ ...claim(new Date(now)), limit: 1 })
  const [row] = await sql.unsafe<{ count: number }[]>(DUE_ROWS.dueReminders)
  expect(row!.count).toBe(3)
})

it('on Kubernetes, what is to be sent soon wakes the worker that sends it', async () => {
  const asked = () => sql.unsafe<{ '?column?': number }[]>(DUE_ROWS.deliveries)
  const count = async () => Number(Object.values((await asked())[0]!)[0])
  const before = await count()
  const delivery = (seconds: number | null) => sql`
    insert into deliveries (id, user_id, notification_id, fire_at, channel, target, state, attempts, next_attempt_at,
      triggered_at, late, version)
    values (${systemIds.uuid()}, ${systemIds.uuid()}, ${systemIds.uuid()}, now(), 'email', ${systemIds.uuid()},
      'triggered', 0, now() + make_interval(secs => ${seconds}), now(), false, 1)`
  for (const seconds of [-5, 20, 300, null]) await delivery(seconds)
  expect(await count()).toBe(before + 2)
})

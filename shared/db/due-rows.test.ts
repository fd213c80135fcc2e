import { beforeEach, expect, it } from 'vitest'
import { aReminder } from '../../testing/builders/a-reminder.ts'
import { aChange, aSeries, aTask } from '../../testing/builders/a-task.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { createChangeStore } from './changes/change-store.ts'
import { DUE_ROWS } from './due-rows.ts'

const sql = await testDatabase()
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000)

beforeEach(async () => {
  await sql`truncate reminders, outbox, series cascade`
})

/** What KEDA would be told. */
async function due(): Promise<Record<string, number>> {
  const counts = Object.entries(DUE_ROWS).map(async ([rows, query]): Promise<[string, number]> => {
    const [row] = await sql.unsafe(query)
    return [rows, Number(Object.values(row ?? {})[0])]
  })
  return Object.fromEntries(await Promise.all(counts))
}
const NOTHING = { dueReminders: 0, deliveries: 0, outbox: 0, waitingSeries: 0 }

async function remindIn(seconds: number): Promise<void> {
  const task = aTask()
  const reminder = aReminder({ remindAt: inSeconds(seconds), userId: task.userId, taskId: task.id })
  await createChangeStore(sql).commit(aChange(task.userId, { newTasks: [task], newReminders: [reminder] }))
  await sql`truncate outbox`
}

it('a reminder wakes who fires it and who sends its mail half a minute before, together', async () => {
  await remindIn(60)
  expect(await due()).toEqual(NOTHING)
  await remindIn(25)
  expect(await due()).toEqual({ ...NOTHING, dueReminders: 1, deliveries: 1 })
})

it.each([
  ['just being published', 5, 0],
  ['left behind', 11, 1],
])('an event that is %s counts after %i s: %i', async (_, ageSeconds, count) => {
  await sql`insert into outbox (user_id, seq, time) values (${aTask().userId}, 1, ${inSeconds(-ageSeconds)})`
  expect(await due()).toEqual({ ...NOTHING, outbox: count })
})

it.each([
  ['whose event is on its way', 30, 0],
  ['that was forgotten', 120, 1],
  ['that nothing has repaired for more than a day', 90_000, 0],
])('a series without its next task %s counts after %i s: %i', async (_, ageSeconds, count) => {
  const task = aTask()
  const series = aSeries({ userId: task.userId, liveTaskId: null, updatedAt: inSeconds(-ageSeconds) })
  await createChangeStore(sql).commit(aChange(task.userId, { series }))
  await sql`truncate outbox`
  expect(await due()).toEqual({ ...NOTHING, waitingSeries: count })
})

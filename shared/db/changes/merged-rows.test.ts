import { beforeAll, describe, expect, it } from 'vitest'
import type { Change } from '../../app/ports.ts'
import { systemIds } from '../../kit/system.ts'
import { aReminder } from '../../../testing/builders/a-reminder.ts'
import { aChange, anEvent, anOccurrence, aSeries, aTask, NOON } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import type { Sql } from '../connect.ts'
import { changeRow } from './change-row.ts'
import { createChangeStore } from './change-store.ts'
import { mergedRows } from './merged-rows.ts'

let sql: Sql
beforeAll(async () => {
  sql = await testDatabase()
})

/** What a user has at first: two tasks and a series. */
interface Had {
  userId: string
  one: ReturnType<typeof aTask>
  two: ReturnType<typeof aTask>
  series: ReturnType<typeof aSeries>
}

const uuid = () => systemIds.uuid()
const edited = ({ one }: Had, title: string) => ({
  changedTasks: [{ ...one, title, version: one.version + 1 }],
})
const stale = ({ one }: Had) => ({ unchangedTasks: [{ id: one.id, version: one.version + 5 }] })
const fresh = ({ one }: Had) => ({ unchangedTasks: [{ id: one.id, version: one.version }] })
const stepped = ({ series }: Had, generated: number) => ({
  series: { ...series, generated, version: series.version + 1 },
})
const added = ({ userId }: Had, title: string) => ({
  newTasks: [aTask({ userId, title, position: title.length })],
  activeDelta: 1,
  tagDeltas: [{ key: 'home', label: 'Home', active: 1, completed: 0 }],
})
const MARK = uuid()
const marked = (eventId: string) => ({ processed: { consumer: 'test', eventId } })
const at = (hour: number) => new Date(NOON.getTime() + hour * 3_600_000)
const occurs = ({ series, two }: Had, hour: number) => ({
  newOccurrences: [anOccurrence({ seriesId: series.id, taskId: two.id, occurrenceAt: at(hour) })],
})
const reminds = ({ userId, one }: Had, minutes: number) => ({
  newReminders: [
    aReminder({ id: uuid(), userId, taskId: one.id, remindAt: at(minutes), fireAt: at(minutes) }),
  ],
})

/** Three changes of one user, and how they end one by one. */
const CASES: [string, (had: Had) => Partial<Change>[], string][] = [
  [
    'that have nothing in common',
    (had) => [added(had, 'a'), edited(had, 'b'), occurs(had, 1)],
    'applied applied applied',
  ],
  ['of which the first rests on another version', (had) => [stale(had), added(had, 'a'), {}], 'conflict'],
  ['of which the second does', (had) => [added(had, 'a'), stale(had), {}], 'applied conflict'],
  ['of which the last does', (had) => [added(had, 'a'), {}, stale(had)], 'applied applied conflict'],
  ['that rest on the same task', (had) => [fresh(had), fresh(had), fresh(had)], 'applied applied applied'],
  [
    'of which one rests on what one before has changed',
    (had) => [edited(had, 'b'), fresh(had), {}],
    'applied conflict',
  ],
  [
    'of which one changes what one before rests on',
    (had) => [fresh(had), edited(had, 'b'), {}],
    'applied applied applied',
  ],
  ['that change the same task', (had) => [edited(had, 'b'), edited(had, 'c'), {}], 'applied conflict'],
  ['that change the same series', (had) => [stepped(had, 1), stepped(had, 2), {}], 'applied conflict'],
  ['that make the same occurrence', (had) => [occurs(had, 1), occurs(had, 1), {}], 'applied conflict'],
  ['that add reminders', (had) => [reminds(had, 1), reminds(had, 2), {}], 'applied applied applied'],
  ['of one event', () => [marked(uuid()), marked(MARK), marked(MARK)], 'applied applied already_processed'],
  ['of an event that was processed', () => [marked(MARK), marked(uuid()), {}], 'already_processed'],
]

describe('changes of one user that are committed together', () => {
  it.each(CASES)('%s end as if each came alone', async (_, parts, ends) => {
    const [together, apart] = [await left(parts, true), await left(parts, false)]
    expect(apart.outcomes.join(' ')).toBe(ends)
    expect(together).toEqual(apart)
  })

  it.each<[string, Partial<Change>]>([
    ['limits', { limits: { tasks: 5 } }],
    ['a stored answer', { idempotency: { key: 'k', fingerprint: 'f', answer: 1, expiresAt: NOON } }],
    ['reminders that it has seen', { knownReminders: { taskIds: [], reminders: [] } }],
    ['changed occurrences', { changedOccurrences: [anOccurrence()] }],
  ])('stay apart when one has %s', (_, part) => {
    const user = uuid()
    const rows = (part: Partial<Change>) => changeRow(aChange(user, part))
    expect(mergedRows([rows({}), rows({ events: [anEvent()] })])).not.toBeNull()
    expect(mergedRows([rows({}), rows(part)])).toBeNull()
  })
})

/** What three changes leave with a user of their own, in words that do not depend on who it is. */
async function left(parts: (typeof CASES)[number][1], isTogether: boolean) {
  const store = createChangeStore(sql)
  const userId = uuid()
  const series = aSeries({ id: uuid(), userId })
  const [one, two] = [aTask({ id: uuid(), userId }), aTask({ id: uuid(), userId, position: 2 })]
  await sql`delete from processed_events where event_id = ${MARK}`
  const isProcessed = parts === CASES.at(-1)![1]
  await store.commit(
    aChange(userId, { newTasks: [one, two], activeDelta: 2, series, ...(isProcessed && marked(MARK)) }),
  )
  const changes = parts({ userId, one, two, series }).map((part) => aChange(userId, part))
  const outcomes: string[] = []
  if (isTogether) outcomes.push(...(await store.commitAll(changes)).map(({ outcome }) => outcome))
  else {
    for (const change of changes) {
      const { outcome } = await store.commit(change)
      outcomes.push(outcome)
      if (outcome !== 'applied') break
    }
  }
  return {
    outcomes,
    tasks:
      await sql`select title, version, position from tasks where user_id = ${userId} order by title, position`,
    series: await sql`select version, generated from series where user_id = ${userId}`,
    occurrences: await sql`select occurrence_at, state from occurrences where user_id = ${userId} order by 1`,
    reminders: await sql`select fire_at, version from reminders where user_id = ${userId} order by 1`,
    tags: await sql`select label, active, completed from tags where user_id = ${userId} order by key`,
    events: await sql`select seq, type from events where user_id = ${userId} order by seq`,
    waiting: await sql`select seq from outbox where user_id = ${userId} order by seq`,
    counters: await sql`
      select last_seq, active_tasks, completed_tasks, kept_tasks, open_reminders from user_counters where user_id = ${userId}`,
  }
}

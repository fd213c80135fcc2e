import { describe, expect, it } from 'vitest'
import type { Change } from '../../app/ports.ts'
import { DEFAULT_PREFERENCES } from '../../domain/notifications/notification-preferences.ts'
import { aDelivery, aNotification } from '../../../testing/builders/a-notification.ts'
import { aReminder } from '../../../testing/builders/a-reminder.ts'
import { anAnswer, anEvent, anOccurrence, aSeries, aTask, NOON } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { changeRow } from './change-row.ts'

const USER = crypto.randomUUID()
const delivery = aDelivery({ userId: USER, target: USER })

/** A change with all that one can have. */
const EVERYTHING: Required<Change> = {
  userId: USER,
  at: NOON,
  activeDelta: 0,
  completedDelta: 0,
  limits: { tasks: 10, open_reminders: 10, answers: 10, answer_bytes: 10_000, reminders_per_minute: 10 },
  newTasks: [aTask()],
  changedTasks: [aTask()],
  movedTasks: [{ id: USER, position: 1, version: 2 }],
  freePlaces: [1],
  series: aSeries(),
  seriesBelow: [aSeries()],
  emptied: { taskIds: [USER], of: 'open' },
  newOccurrences: [anOccurrence()],
  changedOccurrences: [anOccurrence()],
  droppedOccurrences: [anOccurrence()],
  newReminders: [aReminder()],
  changedReminders: [aReminder()],
  newNotifications: [{ notification: aNotification(), fact: null }],
  newDeliveries: [delivery],
  changedDeliveries: [delivery],
  unchangedDeliveries: [delivery],
  shownNotifications: [{ id: USER, fact: 0 }],
  readNotifications: [{ id: USER, fact: 0 }],
  nextDigest: { from: NOON, to: null },
  preferences: { preferences: { ...DEFAULT_PREFERENCES, version: 1 }, nextDigestAt: null },
  movedZone: { version: 1, nextDigestAt: NOON },
  confirmedTarget: USER,
  unchangedTasks: [aTask()],
  knownReminders: { taskIds: [USER], reminders: [aReminder()] },
  tagDeltas: [{ key: 'a', label: 'A', active: 1, completed: 0 }],
  events: [anEvent()],
  processed: { consumer: 'test', eventId: crypto.randomUUID() },
  idempotency: anAnswer('fingerprint'),
}

/** The parts that are rows: the table of each, its columns that are not written so, and what is no column of it. */
const TABLES: Record<string, { table: string; besides?: string[]; alongside?: string[] }> = {
  new_tasks: { table: 'tasks' },
  changed_tasks: { table: 'tasks' },
  series: { table: 'series' },
  new_occurrences: { table: 'occurrences', besides: ['user_id'] },
  changed_occurrences: { table: 'occurrences', besides: ['user_id'] },
  new_reminders: { table: 'reminders', besides: ['lease_until'] },
  changed_reminders: { table: 'reminders', besides: ['lease_until'] },
  new_notifications: { table: 'notifications', besides: ['read_seq'] },
  new_deliveries: { table: 'deliveries', besides: ['lease_until'] },
  changed_deliveries: { table: 'deliveries', besides: ['lease_until'] },
  preferences: {
    table: 'notification_preferences',
    besides: ['user_id', 'digest_lease_until'],
    alongside: ['stays_held_for'],
  },
}

const sql = await testDatabase({ max: 2 })

const nothing = { user_id: USER, at: NOON, active_delta: 0, completed_delta: 0, events: [] }
const commit = (change: object) => sql`select commit_change(${sql.json(change as never)})`
const everything = changeRow(EVERYTHING)

describe('a change', () => {
  it.each(Object.keys(TABLES))('has in %s each column of the table, and no other', async (part) => {
    const { table, besides = [], alongside = [] } = TABLES[part]!
    const rows = await sql<{ name: string }[]>`
      select attname as name from pg_attribute
      where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = ''`
    const [row] = [everything[part]].flat() as [object]
    const columns = rows.map(({ name }) => name)
    expect([...Object.keys(row), ...besides].toSorted()).toEqual([...columns, ...alongside].toSorted())
  })

  it.each(Object.keys(everything))('may have the part %s', async (part) => {
    const outcome = await commit({ ...nothing, [part]: everything[part] }).then(
      () => 'applied',
      (error: { code: string }) => error.code,
    )
    expect(outcome).toMatch(/^(applied|DB00\d)$/)
  })

  it('is refused when it has a part that nobody knows, and leaves nothing behind', async () => {
    const userId = crypto.randomUUID()
    const change = { ...nothing, user_id: userId, new_webhooks: [{ id: 1 }], changed_task: [{ id: 'typo' }] }
    const unknown = {
      code: '22023',
      message: 'a change has an unknown part: changed_task, new_webhooks',
    }
    await expect(commit(change)).rejects.toMatchObject(unknown)
    await commit({ ...nothing, user_id: userId })
    const other = { ...nothing, user_id: userId }
    const many = sql.json([[change, other], [other]] as never)
    expect(await sql`select commit_changes(${many}) as results`).toEqual([
      { results: [[{ outcome: 'undone' }], [{ outcome: 'applied', last_seq: 0 }]] },
    ])
    const identity = sql.json({ at: NOON, new_webhook: {} })
    await expect(sql`select commit_identity(${identity}, null)`).rejects.toMatchObject({
      code: '22023',
      message: 'a change has an unknown part: new_webhook',
    })
  })
})

import type { SnapshotPart, Snapshots } from '../../app/sync/ports.ts'
import type { StartTimer } from '../../app/ports.ts'
import { preferencesRecord } from '../../domain/notifications/notification-preferences.ts'
import { seriesView } from '../../domain/recurrence/series.ts'
import { reminderView } from '../../domain/reminders/reminder.ts'
import { taskView } from '../../domain/tasks/task.ts'
import type { Sql, Transaction } from '../connect.ts'
import { createPreferenceStore } from '../notifications/preference-store.ts'
import {
  deliveryFromRow,
  reminderFromRow,
  type DeliveryRow,
  type ReminderRow,
} from '../reminders/reminder-rows.ts'
import { fromJson, seriesFromRow, taskFromRow, type SeriesRow, type TaskRow } from '../tasks/task-rows.ts'
import { inTransaction } from '../transaction.ts'

/** Of a task 32 KiB at most. */
const PAGE = 200
/** Each holds a connection for as long as its reader likes, and keeps what is written meanwhile from being cleared up. */
const SHARE_OF_POOL = 1 / 4
const MAX_SNAPSHOT_MS = 60_000

export function createSnapshots(
  sql: Sql,
  startTimer: StartTimer,
  { maxMs = MAX_SNAPSHOT_MS } = {},
): Snapshots {
  const most = Math.max(1, Math.floor(sql.options.max * SHARE_OF_POOL))
  const takers = new Set<string>()
  return {
    take(userId) {
      if (takers.size >= most || takers.has(userId)) return null
      takers.add(userId)
      // A part goes over when it is taken, so the transaction waits for whoever reads.
      const { readable, writable } = new TransformStream<SnapshotPart, SnapshotPart>()
      const writer = writable.getWriter()
      const reading = inTransaction(sql, async (tx) => {
        await tx`set transaction isolation level repeatable read, read only`
        for await (const part of allOf(tx, userId)) await writer.write(part)
      })
      const giveUp = (reason: unknown) => void writer.abort(reason).catch(() => {})
      const callOff = startTimer(() => giveUp(new Error('the snapshot was not taken in time')), maxMs)
      const end = () => {
        callOff()
        takers.delete(userId)
      }
      reading
        .finally(end)
        .then(() => writer.close(), giveUp)
        .catch(() => {}) // whoever reads has gone
      return readable
    },
  }
}

async function* allOf(tx: Transaction, userId: string): AsyncGenerator<SnapshotPart> {
  const [head] = await tx<{ history: string; sequence: number }[]>`
    select history_id() as history,
      coalesce((select last_seq from user_counters where user_id = ${userId} order by turn desc limit 1), 0) as sequence`
  const { audience } = await createPreferenceStore(tx).get(userId)
  yield { head: { ...head!, preferences: preferencesRecord(audience.preferences) } }
  // Each index of tasks is of those that are deleted or of those that are not.
  for (const isDeleted of [false, true]) {
    const tasks = tx<{ task: TaskRow }[]>`
      select to_jsonb(t) - 'words' as task from tasks t
      where user_id = ${userId} and deleted_at is ${isDeleted ? tx`not null` : tx`null`}`
    yield* pages('tasks', tasks.cursor(PAGE), ({ task }) => taskView(taskFromRow(fromJson(task))))
  }
  const series = tx<
    { series: SeriesRow }[]
  >`select to_jsonb(s) as series from series s where user_id = ${userId}`
  yield* pages('series', series.cursor(PAGE), (row) => seriesView(seriesFromRow(fromJson(row.series))))
  const reminders = tx<{ reminder: ReminderRow; deliveries: DeliveryRow[] | null }[]>`
    select to_jsonb(r) as reminder, (select jsonb_agg(to_jsonb(d)) from deliveries d
      where d.reminder_id = r.id and d.fire_at = r.fired_at) as deliveries
    from reminders r where user_id = ${userId} and deleted_at is null`
  yield* pages('reminders', reminders.cursor(PAGE), ({ reminder, deliveries }) =>
    reminderView(
      reminderFromRow(fromJson(reminder)),
      (deliveries ?? []).map((one) => deliveryFromRow(fromJson(one))),
    ),
  )
  const tags = tx<{ tag: string; active: number; completed: number }[]>`
    select label as tag, active, completed from tags where user_id = ${userId} and active + completed > 0 order by key`
  yield* pages('tags', tags.cursor(PAGE), (row) => row)
}

async function* pages<Row>(
  section: string,
  rows: AsyncIterable<Row[]>,
  view: (row: Row) => object,
): AsyncGenerator<SnapshotPart> {
  yield { section, items: [] }
  for await (const page of rows) yield { section, items: page.map(view) }
}

import { RESTORE_DAYS } from '../../domain/tasks/close-task.ts'
import { tagKey } from '../../domain/tasks/task.ts'
import type { Rebuilt } from '../../domain/replay/rebuild.ts'
import { preferencesToRow } from '../audience.ts'
import type { Sql, SqlFragment, Transaction } from '../connect.ts'
import { notificationToRow, reminderToRow } from '../reminders/reminder-rows.ts'
import { occurrenceToRow, seriesToRow, slotZone, taskToRow } from '../tasks/task-rows.ts'

/** A table that follows from the events. */
export interface ReadModel {
  table: string
  /** Which row of its user: columns. */
  key: readonly string[]
  /** Columns that the events do not tell, each with the reason. */
  leftOut: Readonly<Record<string, string>>
  rows: (rebuilt: Rebuilt, of: { userId: string; lastSeq: number }) => object[]
  /** Of rows `t`: those that no purge has removed or may remove, which is no event. */
  stays?: (sql: Sql | Transaction, now: Date) => SqlFragment
}

const daysAgo = (now: Date, days: number) => new Date(now.getTime() - days * 86_400_000)
const KEEP_NOTIFICATIONS_DAYS = 90

export const READ_MODELS: readonly ReadModel[] = [
  {
    table: 'tasks',
    key: ['id'],
    leftOut: {},
    rows: ({ tasks }) => [...tasks.values()].map(taskToRow),
    stays: (sql, now) => sql`(deleted_at is null or deleted_at >= ${daysAgo(now, RESTORE_DAYS)})`,
  },
  { table: 'series', key: ['id'], leftOut: {}, rows: ({ series }) => [...series.values()].map(seriesToRow) },
  {
    table: 'occurrences',
    key: ['series_id', 'occurrence_at'],
    leftOut: { occurrence_wall: 'worked out of the instant and the zone of the series at the time' },
    rows: ({ occurrences, series }, { userId }) =>
      [...occurrences.values()].map((one) => {
        const of = series.get(one.seriesId)
        return { ...occurrenceToRow(one, of ? slotZone(of) : null), user_id: userId }
      }),
  },
  {
    table: 'reminders',
    key: ['id'],
    leftOut: { lease_until: 'says which worker is at it' },
    rows: ({ reminders }) => [...reminders.values()].map(reminderToRow),
    stays: (sql, now) => sql`
      (deleted_at is null or origin = 'default' or deleted_at >= ${daysAgo(now, RESTORE_DAYS)})
      and exists (select from tasks p where p.id = t.task_id)`,
  },
  {
    table: 'notifications',
    key: ['id'],
    leftOut: {},
    rows: ({ notifications }) =>
      [...notifications.values()].map(({ seq, readSeq, ...notification }) => ({
        ...notificationToRow({ notification, fact: null }),
        seq,
        read_seq: readSeq,
      })),
    // A first message has no event: the app does not show it, and what was not answered is asked again.
    stays: (sql, now) => sql`
      (created_at >= ${daysAgo(now, KEEP_NOTIFICATIONS_DAYS)} and t.type <> 'confirmation')`,
  },
  {
    table: 'notification_preferences',
    key: [],
    leftOut: {
      webhook_url: 'may hold a secret; the event names its host',
      webhook_secret: 'a secret',
      next_digest_at: 'worked out of daily_digest_at, the zone and the last digest',
      digest_lease_until: 'says which worker is at it',
    },
    rows: ({ preferences }, { userId }) => {
      if (!preferences) return []
      const change = { preferences, nextDigestAt: null }
      const { stays_held_for: _, ...row } = preferencesToRow(change, preferences.updatedAt)
      return [{ ...row, user_id: userId }]
    },
  },
  {
    table: 'tags',
    key: ['key'],
    leftOut: {
      turn: 'where its row lies',
      label: 'as whoever used it first has written it',
    },
    rows: (rebuilt, { userId }) => tagRows(rebuilt, userId),
    // A row that counts nothing may lie there until somebody uses the tag again.
    stays: (sql) => sql`(active > 0 or completed > 0)`,
  },
  {
    table: 'user_counters',
    key: [],
    leftOut: {
      turn: 'where its row lies',
      writes: 'the same',
      kept_tasks: 'counts what is not yet purged',
      open_reminders: 'the same',
      kept_answers: 'answers are no events',
      answer_bytes: 'the same',
      kept_notifications: 'counts what is not yet purged',
    },
    rows: ({ tasks }, { userId, lastSeq }) => {
      const present = [...tasks.values()].filter(({ deletedAt }) => !deletedAt)
      const completed = present.filter(({ completedAt }) => completedAt).length
      const counted = { active_tasks: present.length - completed, completed_tasks: completed }
      const others = {
        turn: 0,
        writes: 0,
        kept_tasks: 0,
        open_reminders: 0,
        kept_answers: 0,
        answer_bytes: 0,
      }
      return [{ user_id: userId, last_seq: lastSeq, ...counted, ...others, kept_notifications: 0 }]
    },
  },
]

function tagRows({ tasks }: Rebuilt, userId: string): object[] {
  const counts = new Map<string, { label: string; active: number; completed: number }>()
  for (const { tags, completedAt, deletedAt } of tasks.values()) {
    if (deletedAt) continue
    for (const label of tags) {
      const count = counts.get(tagKey(label)) ?? { label, active: 0, completed: 0 }
      count[completedAt ? 'completed' : 'active'] += 1
      counts.set(tagKey(label), count)
    }
  }
  return [...counts].map(([key, count]) => ({ user_id: userId, key, turn: 0, ...count }))
}

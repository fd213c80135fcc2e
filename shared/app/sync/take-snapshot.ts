import { z } from 'zod'
import { DomainError } from '../../domain/errors.ts'
import { PreferencesRecord } from '../../domain/notifications/notification-preferences.ts'
import { SeriesView } from '../../domain/recurrence/series.ts'
import { ReminderView } from '../../domain/reminders/reminder.ts'
import { cursorText } from '../../domain/sync/cursor.ts'
import { TaskView } from '../../domain/tasks/task.ts'
import { jsonOf } from '../json-pages.ts'
import type { Deps } from '../ports.ts'

export const Snapshot = z
  .object({
    cursor: z.string().describe('GET /api/changes goes on from here'),
    sequence: z.int().describe('Of the last change that is in it'),
    preferences: PreferencesRecord,
    tasks: z.array(TaskView).describe('Deleted ones included, until they are purged'),
    series: z.array(SeriesView),
    reminders: z.array(ReminderView),
    tags: z.array(z.object({ tag: z.string(), active: z.int(), completed: z.int() })),
  })
  .meta({ id: 'Snapshot' })

/** The text of a {@link Snapshot}, in pieces that are read as they are taken. */
export async function takeSnapshot(
  { snapshots }: Pick<Deps, 'snapshots'>,
  userId: string,
): Promise<AsyncGenerator<string>> {
  const taken = snapshots.take(userId)
  if (taken === null) {
    throw new DomainError('rate_limit.exceeded', 'Too many snapshots are being taken.', {
      retryAfterSeconds: 5,
    })
  }
  const parts = taken.values()
  const first = (await parts.next()).value
  if (!first || !('head' in first)) throw new TypeError('a snapshot begins with its place')
  const { history, sequence, preferences } = first.head
  const cursor = cursorText({ history, userId }, sequence)
  return jsonOf({ cursor, sequence, preferences }, parts as never)
}

import { z } from 'zod'
import { cursorAt, readCursor } from '../../domain/cursor.ts'
import {
  reminderView,
  type ListedReminderView,
  type ReminderStatus,
} from '../../domain/reminders/reminder.ts'
import type { Deps } from '../ports.ts'

export const MAX_REMINDERS_LISTED = 100

interface Request {
  status: ReminderStatus | null
  from: Date | null
  to: Date | null
  limit: number
  cursor: string | null
}

/** The time of the last reminder of a page, null when it has none, and its id. */
const Place = z.tuple([z.iso.datetime().nullable(), z.uuid()])

/** A page of the reminders of all tasks; `request.invalid` for what is no cursor of the same list. */
export async function listAllReminders(
  { reminders }: Pick<Deps, 'reminders'>,
  userId: string,
  { cursor, limit, ...filter }: Request,
): Promise<{ items: ListedReminderView[]; next_cursor: string | null }> {
  const list = { list: 'reminders', ...filter }
  const place = cursor === null ? null : readCursor(list, Place, cursor)
  const after = place && { at: place[0] === null ? null : new Date(place[0]), id: place[1] }
  const found = await reminders.listAll(userId, { ...filter, after, limit: limit + 1 })
  const page = found.slice(0, limit)
  const last = found.length > limit ? page.at(-1)!.reminder : null
  return {
    items: page.map(({ reminder, deliveries, taskTitle }) => ({
      ...reminderView(reminder, deliveries),
      task_title: taskTitle,
    })),
    next_cursor: last && cursorAt(list, [(last.fireAt ?? last.remindAt)?.toISOString() ?? null, last.id]),
  }
}

import type { Audience } from '../../shared/domain/notifications/notification-preferences.ts'
import { DEFAULT_PREFERENCES } from '../../shared/domain/notifications/notification-preferences.ts'
import type { Reminder } from '../../shared/domain/reminders/reminder.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { NOON } from './a-task.ts'

/** A reminder at `remindAt`, noon unless it is given, on the channels of the user's preferences. */
export function aReminder(over: Partial<Reminder> = {}): Reminder {
  const remindAt = over.remindAt === undefined ? NOON : over.remindAt
  const createdAt = new Date('2026-03-02T11:00:00.000Z')
  return {
    id: systemIds.uuid(),
    userId: systemIds.uuid(),
    taskId: systemIds.uuid(),
    origin: 'user',
    remindAt,
    timeZone: 'UTC',
    offsetMinutes: null,
    channels: null,
    fireAt: remindAt,
    firedAt: null,
    snoozedUntil: null,
    acknowledgedAt: null,
    cancelledAt: null,
    deletedAt: null,
    version: 1,
    createdAt,
    updatedAt: createdAt,
    ...over,
  }
}

/** A user of UTC who can be reached in the app only. */
export const anAudience = (over: Partial<Audience> = {}): Audience => ({
  userId: systemIds.uuid(),
  timeZone: 'UTC',
  preferences: DEFAULT_PREFERENCES,
  hasEmail: false,
  isEmailConfirmed: false,
  subscriptions: [],
  ...over,
})

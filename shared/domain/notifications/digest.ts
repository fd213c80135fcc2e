import { decideNotification, type NewNotification } from './new-notification.ts'
import { fact, type Decision, type Fact } from '../decision.ts'
import { describeDue } from './describe-due.ts'
import { lastDigestAt, nextDigestAt } from './digest-time.ts'
import { NotificationRequested } from '../events.ts'
import { notificationRecord, type Channel } from './notification.ts'
import type { Audience } from './notification-preferences.ts'
import { LATE_AFTER_MS } from '../reminders/reminder-plan.ts'
import type { Task } from '../tasks/task.ts'
import { civilDate } from '../recurrence/wall-clock.ts'

export const MAX_LINES = 50

interface Context {
  now: Date
  newId: () => string
}

export interface DailyDigest {
  audience: Audience
  dueAt: Date
  tasks: readonly Task[]
  /** How many there are, if more than are given. */
  total: number
}

/**
 * The digest of the day and when the next one comes. Of digests that were missed only the last is made; without a task
 * there is none.
 */
export function decideDailyDigest(
  { audience, dueAt, tasks, total }: DailyDigest,
  { now, newId }: Context,
): Decision {
  const { timeZone, preferences, userId } = audience
  const at = preferences.dailyDigestAt
  if (at === null) return { nextDigest: { from: dueAt, to: null }, facts: [] }
  const nextDigest = { from: dueAt, to: nextDigestAt(at, timeZone, now) }
  if (tasks.length === 0) return { nextDigest, facts: [] }
  const last = lastDigestAt(at, timeZone, now)
  const fireAt = last > dueAt ? last : dueAt
  const announcement = announceDigest(
    {
      id: newId(),
      userId,
      source: `digest/${civilDate(fireAt, timeZone)}`,
      type: 'daily_digest',
      taskId: null,
      reminderId: null,
      title: total === 1 ? 'One task for today' : `${total} tasks for today`,
      body: lines(
        tasks.map((task) => `${task.title} (${describeDue(task, timeZone, now)})`),
        total,
      ),
      late: now.getTime() - fireAt.getTime() > LATE_AFTER_MS,
      createdAt: now,
      readAt: null,
    },
    { audience, fireAt, isUrgent: false },
    { now, newId },
  )
  return { ...announcement, nextDigest }
}

export function lines(all: readonly string[], total = all.length): string {
  const shown = all.slice(0, MAX_LINES).map((line) => `• ${line}`)
  const left = total - shown.length
  return [...shown, ...(left > 0 ? [left === 1 ? 'and one more' : `and ${left} more`] : [])].join('\n')
}

/** Announces a notification that no event asks for, with one that says it is there: for whoever carries it out. */
export function announceDigest(
  notification: NewNotification['notification'],
  {
    audience,
    fireAt,
    isUrgent,
    channels = null,
  }: { audience: Audience; fireAt: Date; isUrgent: boolean; channels?: readonly Channel[] | null },
  context: Context,
): ReturnType<typeof decideNotification> {
  const { title, body } = notification
  const requested: Fact = fact(NotificationRequested, `notification/${notification.id}`, {
    title,
    body,
    task_id: null,
    notification: notificationRecord(notification),
  })
  const announcement = { notification, channels, isUrgent, fireAt }
  const decision = decideNotification(announcement, audience, context)
  return { ...decision, facts: [requested, ...decision.facts] }
}

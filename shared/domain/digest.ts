import { decideAnnouncement } from './announce.ts'
import { fact, type Decision, type Fact } from './decision.ts'
import { describeDue } from './describe-due.ts'
import { lastDigestAt, nextDigestAt } from './digest-time.ts'
import { NotificationRequested } from './events.ts'
import { notificationView, type Notification } from './notification.ts'
import type { Audience } from './notification-preferences.ts'
import { LATE_AFTER_MS } from './reminder-plan.ts'
import type { Task } from './task.ts'
import { civilDate } from './wall-clock.ts'

export const MOST_LINES = 50

interface Context {
  now: Date
  newId: () => string
}

/** The digest of the day of a user, whose open tasks due by the end of the day are given, the most important first. */
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
      ...{ id: newId(), userId, source: `digest/${civilDate(fireAt, timeZone)}`, type: 'daily_digest' },
      ...{ taskId: null, reminderId: null },
      title: total === 1 ? 'One task for today' : `${total} tasks for today`,
      body: lines(
        tasks.map((task) => `${task.title} (${describeDue(task, timeZone, now)})`),
        total,
      ),
      ...{ late: now.getTime() - fireAt.getTime() > LATE_AFTER_MS, createdAt: now, readAt: null },
    },
    { audience, fireAt, isUrgent: false },
    { now, newId },
  )
  return { ...announcement, nextDigest }
}

/** A list with a line for each, and a last one for those it has no room for. */
export function lines(all: readonly string[], total = all.length): string {
  const shown = all.slice(0, MOST_LINES).map((line) => `• ${line}`)
  const left = total - shown.length
  return [...shown, ...(left > 0 ? [left === 1 ? 'and one more' : `and ${left} more`] : [])].join('\n')
}

/** Announces a notification that no event asks for, with one that says it is there: for whoever carries it out. */
export function announceDigest(
  notification: Notification,
  { audience, fireAt, isUrgent }: { audience: Audience; fireAt: Date; isUrgent: boolean },
  context: Context,
): ReturnType<typeof decideAnnouncement> {
  const { title, body } = notification
  const requested: Fact = fact(NotificationRequested, `notification/${notification.id}`, {
    ...{ title, body, task_id: null, notification: notificationView(notification) },
  })
  const announcement = { notification, channels: null, isUrgent, fireAt }
  const decision = decideAnnouncement(announcement, audience, { ...context, factsBefore: 1 })
  return { ...decision, facts: [requested, ...decision.facts] }
}

import { z } from 'zod'
import type { ActorView } from '../actor.ts'
import type { EventType } from '../events.ts'
import { instantText } from '../fields.ts'
import { civilDate } from '../recurrence/wall-clock.ts'
import type { AuditEntry } from './entry.ts'

type Say = (details: AuditEntry['details']) => string

const titled =
  (words: string, unnamed = 'a task'): Say =>
  ({ title }) =>
    `${words} ${typeof title === 'string' && title !== '' ? `“${title}”` : unnamed}`
const plain =
  (words: string): Say =>
  () =>
    words

/** What people are told of each type of event, after who did it; null for what only follows from something else. */
const SENTENCES: Readonly<Record<EventType, Say | null>> = {
  'task.created': titled('added'),
  'task.updated': (details) => `${titled('changed')(details)}${fieldsOf(details)}`,
  'task.completed': titled('completed'),
  'task.reopened': titled('reopened'),
  'task.deleted': titled('deleted'),
  'task.restored': titled('restored'),
  'task.reordered': plain('changed the order of tasks'),
  'task.occurrence.generated': titled('planned the next occurrence of'),
  'task.occurrence.skipped': titled('skipped an occurrence of'),
  'series.updated': titled('changed the repetition of'),
  'series.ended': titled('ended the repetition of'),
  'recurring.task.error': plain('could not plan the next occurrence of a task'),
  'reminder.scheduled': null,
  'reminder.rescheduled': titled('moved a reminder of'),
  'reminder.cancelled': null,
  'reminder.snoozed': titled('snoozed a reminder of'),
  'reminder.acknowledged': titled('acknowledged a reminder of'),
  'reminder.triggered': titled('reminded you of'),
  'reminder.sent': null,
  'reminder.failed': titled('could not deliver a reminder of'),
  'notification.requested': null,
  'notification.created': null,
  'notification.sent': null,
  'notification.failed': null,
  'notification.read': null,
  'preferences.updated': plain('changed the notification preferences'),
  'notification.target.confirmed': plain('confirmed where notifications go'),
  'suggestion.feedback.given': plain('said what a suggestion was worth'),
  'auth.user.registered': plain('registered'),
  'auth.email.confirmed': plain('confirmed the e-mail address'),
  'auth.password.changed': plain('changed the password'),
  'auth.password.reset.requested': plain('asked for a link to set a new password'),
  'auth.password.reset': plain('set a new password by a link'),
  'auth.email.change.requested': plain('asked to change the e-mail address'),
  'auth.email.changed': plain('changed the e-mail address'),
  'auth.account.updated': plain('changed the account'),
  'auth.account.exported': plain('exported everything of the account'),
  'auth.account.deleted': plain('deleted the account'),
  'auth.login.succeeded': plain('signed in'),
  'auth.login.failed': plain('refused a sign-in'),
  'auth.logout': plain('signed out'),
  'auth.token.created': plain('created a token'),
  'auth.token.revoked': plain('revoked a token'),
  'audit.checkpoint.signed': null,
}

/** The types that people are told of. */
export const ACTIVITIES: readonly string[] = Object.entries(SENTENCES).flatMap(([type, say]) =>
  say ? [type] : [],
)

const fieldsOf = ({ changes, changed }: AuditEntry['details']): string => {
  const names = Array.isArray(changed) ? (changed as string[]) : Object.keys(changes ?? {})
  return names.length === 0 ? '' : ` (${names.map((name) => name.replaceAll('_', ' ')).join(', ')})`
}

const BY = { user: 'You', agent: 'Your agent', system: 'Daybook' } as const satisfies Record<
  ActorView['type'],
  string
>

const Activity = z
  .object({
    at: instantText.describe('The last time'),
    sentence: z.string().describe('As “You completed “Pay rent””'),
    times: z.int().positive().describe('How often it happened in a row'),
    action: z.string(),
    resource: z.string(),
  })
  .meta({ id: 'Activity' })
export const ActivityDay = z
  .object({ date: z.iso.date().describe("In the user's time zone"), items: z.array(Activity) })
  .meta({ id: 'ActivityDay' })
export type ActivityDay = z.infer<typeof ActivityDay>

/** Entries, newest first, as sentences by day; the same said twice in a row is said once. */
export function activityDays(entries: readonly AuditEntry[], timeZone: string): ActivityDay[] {
  const days: ActivityDay[] = []
  for (const { at, action, resource, actor, details } of entries) {
    const said = SENTENCES[action as EventType]?.(details) ?? action
    const sentence = `${BY[actor.type]} ${said}`
    const date = civilDate(new Date(at), timeZone)
    const day = days.at(-1)?.date === date ? days.at(-1)! : { date, items: [] }
    if (day !== days.at(-1)) days.push(day)
    const above = day.items.at(-1)
    if (above?.sentence === sentence && above.resource === resource) above.times += 1
    else day.items.push({ at, sentence, times: 1, action, resource })
  }
  return days
}

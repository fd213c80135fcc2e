import { z } from 'zod'
import { ActorView, type TraceContext } from './actor.ts'
import { instantText } from './fields.ts'
import { CHANNELS, NotificationView } from './notification.ts'
import { ReminderView } from './reminder.ts'
import { SeriesView } from './series.ts'
import { TaskView } from './task.ts'

export const TOPICS = [
  ...['task-events', 'task-updates', 'reminders', 'notification-events'],
  ...['chat-events', 'audit-events', 'dlq-events'],
] as const
export type Topic =
  'task-events' | 'task-updates' | 'reminders' | 'notification-events' | 'audit-events' | 'dlq-events'

export interface EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  type: Type
  topic: Topic
  source: string
  data: Data
}

function define<Type extends string, Data extends z.ZodType>(
  type: Type,
  place: { topic: Topic; source: string },
  data: Data,
): EventDefinition<Type, Data> {
  return { type, ...place, data }
}

/** Who makes occurrences: the consumer of the completion, or the repair sweep. */
export const MAKERS = ['event', 'sweep'] as const
export type Maker = (typeof MAKERS)[number]

const tasks = { topic: 'task-events', source: '/services/tasks' } as const
const recurrence = { topic: 'task-events', source: '/services/recurrence' } as const
const reminders = { topic: 'reminders', source: '/services/reminders' } as const
const notifications = { topic: 'notification-events', source: '/services/notifications' } as const
const auth = { topic: 'audit-events', source: '/services/auth' } as const

const ofTask = z.object({ task: TaskView, actor: ActorView })
const ofSeries = z.object({ series: SeriesView, actor: ActorView })
const ofReminder = z.object({ reminder: ReminderView, actor: ActorView })
const change = z.object({ old: z.json(), new: z.json() })
const ofAuthentication = z.object({
  actor: ActorView,
  client_address: z.string().nullable(),
  user_agent: z.string().nullable(),
})

export const TaskCreated = define('task.created', tasks, ofTask)
export const TaskUpdated = define(
  'task.updated',
  tasks,
  ofTask.extend({ changes: z.record(z.string(), change).describe('Field name to its old and new value') }),
)
export const TaskCompleted = define('task.completed', tasks, ofTask)
export const TaskReopened = define('task.reopened', tasks, ofTask)
export const TaskDeleted = define('task.deleted', tasks, ofTask)
export const TaskRestored = define('task.restored', tasks, ofTask)
export const TaskReordered = define(
  'task.reordered',
  tasks,
  z.object({
    positions: z.array(z.object({ task_id: z.uuid(), position: z.int(), version: z.int() })),
    actor: ActorView,
  }),
)
export const OccurrenceGenerated = define(
  'task.occurrence.generated',
  recurrence,
  ofTask.extend({
    missed: z.array(z.iso.datetime()).describe('Occurrences passed over between the last and this'),
    made_by: z.enum(MAKERS).describe('The consumer of the completion, or the repair sweep'),
  }),
)
export const OccurrenceSkipped = define('task.occurrence.skipped', tasks, ofTask)
export const SeriesUpdated = define('series.updated', tasks, ofSeries)
export const SeriesEnded = define('series.ended', recurrence, ofSeries)
export const RecurringTaskError = define(
  'recurring.task.error',
  recurrence,
  z.object({ series_id: z.uuid(), reason: z.string(), actor: ActorView }),
)
export const ReminderScheduled = define('reminder.scheduled', reminders, ofReminder)
export const ReminderRescheduled = define('reminder.rescheduled', reminders, ofReminder)
export const ReminderCancelled = define('reminder.cancelled', reminders, ofReminder)
export const ReminderSnoozed = define('reminder.snoozed', reminders, ofReminder)
export const ReminderAcknowledged = define('reminder.acknowledged', reminders, ofReminder)
/** It is due: what reminder.due was in earlier documents. */
export const ReminderTriggered = define(
  'reminder.triggered',
  reminders,
  ofReminder.extend({
    notification: NotificationView,
    fire_at: instantText.describe('The planned time; the time of the event is when it really fired'),
    channels: z.array(z.enum(CHANNELS)),
  }),
)
const ofFiring = z.object({
  ...{ reminder_id: z.uuid(), task_id: z.uuid(), notification_id: z.uuid(), fire_at: instantText },
  ...{ delivered: z.array(z.enum(CHANNELS)), failed: z.array(z.enum(CHANNELS)), actor: ActorView },
})
/** Every channel of a firing is done with, and at least one has delivered it. */
export const ReminderSent = define('reminder.sent', reminders, ofFiring)
/** Every channel of a firing has given up. */
export const ReminderFailed = define('reminder.failed', reminders, ofFiring)
export const NotificationRequested = define(
  'notification.requested',
  notifications,
  z.object({
    title: z.string(),
    body: z.string(),
    task_id: z.uuid().nullable(),
    notification: NotificationView.optional().describe(
      'When it is made already, as digests are; else it is made of this',
    ),
    actor: ActorView,
  }),
)
const ofDelivery = z.object({
  ...{ notification: NotificationView, delivery_id: z.uuid() },
  ...{ channel: z.enum(CHANNELS), attempts: z.int(), actor: ActorView },
})
export const NotificationSent = define('notification.sent', notifications, ofDelivery)
export const NotificationFailed = define(
  'notification.failed',
  notifications,
  ofDelivery.extend({ reason: z.string() }),
)
export const UserRegistered = define('auth.user.registered', auth, ofAuthentication)
export const LoginSucceeded = define('auth.login.succeeded', auth, ofAuthentication)
export const LoginFailed = define('auth.login.failed', auth, ofAuthentication.extend({ reason: z.string() }))
export const LoggedOut = define('auth.logout', auth, ofAuthentication)
export const TokenCreated = define('auth.token.created', auth, ofAuthentication.extend({ kind: z.string() }))
export const TokenRevoked = define(
  'auth.token.revoked',
  auth,
  ofAuthentication.extend({ reason: z.string() }),
)

/** Every event Daybook publishes; docs/events/ holds the JSON Schema of each. */
export const CATALOGUE = [
  ...[TaskCreated, TaskUpdated, TaskCompleted, TaskReopened, TaskDeleted, TaskRestored, TaskReordered],
  ...[OccurrenceGenerated, OccurrenceSkipped, SeriesUpdated, SeriesEnded, RecurringTaskError],
  ...[ReminderScheduled, ReminderRescheduled, ReminderCancelled, ReminderSnoozed, ReminderAcknowledged],
  ...[ReminderTriggered, ReminderSent, ReminderFailed],
  ...[NotificationRequested, NotificationSent, NotificationFailed],
  ...[UserRegistered, LoginSucceeded, LoginFailed, LoggedOut, TokenCreated, TokenRevoked],
] as const
export type AnyEvent = (typeof CATALOGUE)[number]
export type EventType = AnyEvent['type']
export type EventData<E extends EventDefinition> = z.infer<E['data']>

const byType = new Map<string, EventDefinition>(CATALOGUE.map((definition) => [definition.type, definition]))
export const definitionOf = (type: string): EventDefinition | undefined => byType.get(type)

/** An event before the database gives it its place in the owner's sequence. */
export interface EventDraft {
  id: string
  type: EventType
  source: string
  subject: string
  time: Date
  data: unknown
  trace: TraceContext | null
}

/** Checks `data` against the catalogue, so that an event without a schema can never reach the database. */
export function draftEvent<E extends AnyEvent>(
  definition: E,
  event: { id: string; subject: string; time: Date; data: EventData<E>; trace: TraceContext | null },
): EventDraft {
  return {
    ...event,
    type: definition.type,
    source: definition.source,
    data: definition.data.parse(event.data),
  }
}

import { z } from 'zod'
import { ActorView } from './actor.ts'
import { define, type EventDefinition } from './event-definition.ts'
import { instantText, occurrenceText } from './fields.ts'
import { CHANNELS, NotificationRecord } from './notifications/notification.ts'
import { PreferencesRecord } from './notifications/notification-preferences.ts'
import { ReminderRecord } from './reminders/reminder.ts'
import { SeriesView } from './recurrence/series.ts'
import { SuggestionFeedbackView } from './suggestions/suggestion.ts'
import { TaskRecord, TaskView } from './tasks/task.ts'

const tasks = { topic: 'task-events', source: '/services/tasks' } as const
const recurrence = { topic: 'task-events', source: '/services/recurrence' } as const
const suggestions = { topic: 'task-events', source: '/services/suggestions' } as const
const reminders = { topic: 'reminders', source: '/services/reminders' } as const
const notifications = { topic: 'notification-events', source: '/services/notifications' } as const
const audit = { topic: 'audit-events', source: '/services/audit' } as const
const auth = { topic: 'audit-events', source: '/services/auth' } as const

const taskPayload = z.object({
  task: TaskRecord,
  series: SeriesView.optional().describe('As it is since, where the series of the task changed as well'),
  actor: ActorView,
})
const seriesPayload = z.object({ series: SeriesView, actor: ActorView })
const missed = z
  .array(occurrenceText)
  .describe('Occurrences missed between the previous one and what comes next')
const taskTitle = z
  .string()
  .nullable()
  .describe('null: the task is gone, or the event is of a version that did not say')
const ofReminder = z.object({
  reminder: ReminderRecord,
  task_title: taskTitle,
  scheduled_for: instantText.nullable().describe('When it fires next; null: not again'),
  actor: ActorView,
})
const change = z.object({ old: z.json(), new: z.json() })
const ofAuthentication = z.object({ actor: ActorView })

export const TaskCreated = define('task.created', tasks, taskPayload, '1.1')
export const TaskUpdated = define(
  'task.updated',
  tasks,
  taskPayload.extend({
    changes: z.record(z.string(), change).describe('Field name to its old and new value'),
  }),
  '1.1',
)
export const TaskCompleted = define('task.completed', tasks, taskPayload, '1.1')
export const TaskReopened = define('task.reopened', tasks, taskPayload, '1.1')
export const TaskDeleted = define('task.deleted', tasks, taskPayload, '1.1')
export const TaskRestored = define('task.restored', tasks, taskPayload, '1.1')
export const TaskReordered = define(
  'task.reordered',
  tasks,
  z.object({
    positions: z.array(z.object({ task_id: z.uuid(), position: z.int(), version: z.int() })),
    actor: ActorView,
  }),
  '1.1',
)
export const OccurrenceGenerated = define(
  'task.occurrence.generated',
  recurrence,
  taskPayload.extend({ missed }),
  '2.0',
)
export const OccurrenceSkipped = define('task.occurrence.skipped', tasks, taskPayload, '1.1')
export const SeriesUpdated = define(
  'series.updated',
  tasks,
  seriesPayload.extend({
    moved: z
      .array(z.object({ from: occurrenceText, to: occurrenceText }))
      .optional()
      .describe(
        'Where its zone or the rules of it are others by now: occurrences and what their instants are',
      ),
  }),
  '2.0',
)
export const SeriesEnded = define(
  'series.ended',
  recurrence,
  seriesPayload.extend({ missed: missed.optional() }),
  '2.0',
)
export const RecurringTaskError = define(
  'recurring.task.error',
  recurrence,
  z.object({
    series_id: z.uuid(),
    reason: z.string(),
    series: SeriesView.nullable().describe('null: the event is of a version that did not say'),
    actor: ActorView,
  }),
  '2.0',
)
export const ReminderScheduled = define('reminder.scheduled', reminders, ofReminder, '2.0')
export const ReminderRescheduled = define('reminder.rescheduled', reminders, ofReminder, '2.0')
export const ReminderCancelled = define('reminder.cancelled', reminders, ofReminder, '2.0')
export const ReminderSnoozed = define('reminder.snoozed', reminders, ofReminder, '2.0')
export const ReminderAcknowledged = define('reminder.acknowledged', reminders, ofReminder, '2.0')
/** It is due: what reminder.due was in earlier documents. */
export const ReminderTriggered = define(
  'reminder.triggered',
  reminders,
  ofReminder.extend({
    notification: NotificationRecord,
    fire_at: instantText.describe('The planned time; the time of the event is when it really fired'),
    channels: z.array(z.enum(CHANNELS)),
    task_priority: TaskView.shape.priority,
    due_at: TaskView.shape.due_at.describe('null: the task is due on a day, or not at all'),
    due_date: TaskView.shape.due_date,
    time_zone: TaskView.shape.time_zone.describe("The task's"),
  }),
  '2.0',
)
const firingPayload = z.object({
  reminder_id: z.uuid(),
  task_id: z.uuid(),
  task_title: taskTitle,
  notification_id: z.uuid(),
  fire_at: instantText,
  delivered: z.array(z.enum(CHANNELS)),
  failed: z.array(z.enum(CHANNELS)),
  actor: ActorView,
})
/** Every channel of a firing is done with, and at least one has delivered it. */
export const ReminderSent = define('reminder.sent', reminders, firingPayload, '2.0')
export const ReminderFailed = define('reminder.failed', reminders, firingPayload, '2.0')
export const NotificationRequested = define(
  'notification.requested',
  notifications,
  z.object({
    title: z.string(),
    body: z.string(),
    task_id: z.uuid().nullable(),
    notification: NotificationRecord.optional().describe(
      'The notification, if it exists already, as for digests; otherwise it is created from this event',
    ),
    actor: ActorView,
  }),
  '2.0',
)
/** One that no other event tells of: it was asked for by another service, or says nothing new to its user. */
export const NotificationCreated = define(
  'notification.created',
  notifications,
  z.object({ notification: NotificationRecord, actor: ActorView }),
)
const ofDelivery = z.object({
  notification: NotificationRecord,
  delivery_id: z.uuid(),
  channel: z.enum(CHANNELS),
  attempts: z.int(),
  actor: ActorView,
})
export const NotificationSent = define('notification.sent', notifications, ofDelivery, '2.0')
/** On one device, for all others. */
export const NotificationRead = define(
  'notification.read',
  notifications,
  z.object({ notification_ids: z.array(z.uuid()), read_at: instantText, actor: ActorView }),
  '1.1',
)
export const NotificationFailed = define(
  'notification.failed',
  notifications,
  ofDelivery.extend({ reason: z.string() }),
  '2.0',
)
export const PreferencesUpdated = define(
  'preferences.updated',
  notifications,
  z.object({ preferences: PreferencesRecord, actor: ActorView }),
)
/** A webhook or a device has answered its first message. */
export const TargetConfirmed = define(
  'notification.target.confirmed',
  notifications,
  z.object({
    channel: z.enum(CHANNELS),
    target: z.uuid().describe('The push subscription, or webhook_id of the preferences'),
    actor: ActorView,
  }),
)
export const UserRegistered = define('auth.user.registered', auth, ofAuthentication, '2.0')
export const LoginSucceeded = define('auth.login.succeeded', auth, ofAuthentication, '2.0')
export const LoginFailed = define(
  'auth.login.failed',
  auth,
  ofAuthentication.extend({
    reason: z.string(),
    count: z.int().describe('Failures of the account on this day so far; beyond 20, only some have an event'),
  }),
  '2.0',
)
export const EmailConfirmed = define('auth.email.confirmed', auth, ofAuthentication, '2.0')
export const LoggedOut = define('auth.logout', auth, ofAuthentication, '2.0')
export const TokenCreated = define(
  'auth.token.created',
  auth,
  ofAuthentication.extend({
    kind: z.string(),
    token: z
      .object({ id: z.uuid(), name: z.string(), scopes: z.array(z.string()) })
      .optional()
      .describe('Of kind api: for a program'),
  }),
  '2.1',
)
/** By who knew the old one. */
export const PasswordChanged = define('auth.password.changed', auth, ofAuthentication)
export const PasswordResetRequested = define('auth.password.reset.requested', auth, ofAuthentication)
/** By the link in a mail. */
export const PasswordReset = define('auth.password.reset', auth, ofAuthentication)
export const EmailChangeRequested = define('auth.email.change.requested', auth, ofAuthentication)
/** The address that was asked for is confirmed, and the account's from now on. */
export const EmailChanged = define('auth.email.changed', auth, ofAuthentication)
export const AccountUpdated = define(
  'auth.account.updated',
  auth,
  ofAuthentication.extend({ display_name: z.string().nullable(), time_zone: z.string() }),
)
export const AccountExported = define('auth.account.exported', auth, ofAuthentication)
/** The last event of its user, and all that is kept. */
export const AccountDeleted = define('auth.account.deleted', auth, ofAuthentication)
export const TokenRevoked = define(
  'auth.token.revoked',
  auth,
  ofAuthentication.extend({
    reason: z.string(),
    token_id: z.uuid().optional().describe('The API token, where one was revoked by itself'),
  }),
  '2.1',
)

/** What a user thinks of a suggestion; the latest ones are what rules go by. */
export const SuggestionFeedbackGiven = define(
  'suggestion.feedback.given',
  suggestions,
  z.object({ feedback: SuggestionFeedbackView, actor: ActorView }),
)

/** How far the audit trails of all users have come, signed. Of no user, and itself not audited: it would lead to the next. */
export const AuditCheckpointSigned = define(
  'audit.checkpoint.signed',
  audit,
  z.object({
    size: z.int().positive().describe('Leaves of the tree'),
    note: z.string().describe('The checkpoint as a signed note (c2sp.org/tlog-checkpoint)'),
    actor: ActorView,
  }),
)

/** Every event Daybook publishes; docs/events/ holds the JSON Schema of each. */
export const CATALOGUE = [
  TaskCreated,
  TaskUpdated,
  TaskCompleted,
  TaskReopened,
  TaskDeleted,
  TaskRestored,
  TaskReordered,
  OccurrenceGenerated,
  OccurrenceSkipped,
  SeriesUpdated,
  SeriesEnded,
  RecurringTaskError,
  ReminderScheduled,
  ReminderRescheduled,
  ReminderCancelled,
  ReminderSnoozed,
  ReminderAcknowledged,
  ReminderTriggered,
  ReminderSent,
  ReminderFailed,
  NotificationRequested,
  NotificationCreated,
  NotificationSent,
  NotificationFailed,
  NotificationRead,
  PreferencesUpdated,
  TargetConfirmed,
  SuggestionFeedbackGiven,
  UserRegistered,
  EmailConfirmed,
  PasswordChanged,
  PasswordResetRequested,
  PasswordReset,
  EmailChangeRequested,
  EmailChanged,
  AccountUpdated,
  AccountExported,
  AccountDeleted,
  LoginSucceeded,
  LoginFailed,
  LoggedOut,
  TokenCreated,
  TokenRevoked,
  AuditCheckpointSigned,
] as const
export type AnyEvent = (typeof CATALOGUE)[number]

/** Whose events are nobody's: those about the log itself. */
export const LOG_USER = '00000000-0000-0000-0000-000000000000'
export type EventType = AnyEvent['type']

const byType = new Map<string, EventDefinition>(CATALOGUE.map((definition) => [definition.type, definition]))
export const definitionOf = (type: string): EventDefinition | undefined => byType.get(type)

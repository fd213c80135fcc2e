import type { Occurrence, OccurrenceState, Series, SeriesView } from '../recurrence/series.ts'
import type { Notification, NotificationRecord } from '../notifications/notification.ts'
import type { Preferences, PreferencesRecord } from '../notifications/notification-preferences.ts'
import type { Reminder, ReminderRecord } from '../reminders/reminder.ts'
import { FLOATING, type Task, type TaskRecord } from '../tasks/task.ts'
import type { RecordedEvent } from '../cloud-event.ts'

/** The rows of a user as the events alone tell them. */
export interface Rebuilt {
  tasks: Map<string, Task>
  series: Map<string, Series>
  /** By series and instant. */
  occurrences: Map<string, Occurrence>
  reminders: Map<string, Reminder>
  notifications: Map<string, Notification & { seq: number | null; readSeq: number | null }>
  preferences: (Preferences & { updatedAt: Date }) | null
}

interface Data {
  task?: TaskRecord
  series?: SeriesView
  missed?: string[]
  moved?: { from: string; to: string }[]
  reminder?: ReminderRecord
  notification?: NotificationRecord
  channel?: string
  target?: string
  notification_ids?: string[]
  preferences?: PreferencesRecord
  positions?: { task_id: string; position: number; version: number }[]
}

export const nothing = (): Rebuilt => ({
  tasks: new Map(),
  series: new Map(),
  occurrences: new Map(),
  reminders: new Map(),
  notifications: new Map(),
  preferences: null,
})

/** Folds the next event of a user into the rows, in the order of the log, in the present version of its type. */
export function replayEvent(
  rows: Rebuilt,
  { type, time, userId, sequence: seq }: RecordedEvent,
  data: unknown,
): void {
  apply(rows, type, data as Data, { userId, at: time, seq })
}

function apply(
  rows: Rebuilt,
  type: string,
  data: Data,
  { userId, at, seq }: { userId: string; at: Date; seq: number },
): void {
  const { task, series, reminder, notification, preferences, positions = [] } = data
  if (series) rows.series.set(series.id, seriesOf(series))
  for (const { task_id: id, position, version } of positions) {
    rows.tasks.set(id, { ...rows.tasks.get(id)!, position, version, updatedAt: at })
  }
  if (task) {
    const before = rows.tasks.get(task.id)
    const after = taskOf(task, before)
    rows.tasks.set(task.id, after)
    followOccurrence(rows.occurrences, before, after, at)
  }
  for (const slot of data.missed ?? []) {
    const seriesId = task?.series_id ?? series!.id
    const missed = {
      seriesId,
      occurrenceAt: new Date(slot),
      state: 'missed',
      taskId: null,
      closedAt: at,
    } as const
    rows.occurrences.set(placeOf(missed), missed)
  }
  if (data.moved) moveMissed(rows.occurrences, series!.id, data.moved)
  if (reminder) rows.reminders.set(reminder.id, reminderOf(reminder))
  if (notification) {
    // It is there with the first event that has it, and in the app with the first that says so.
    const known = rows.notifications.get(notification.id) ?? {
      ...notificationOf(userId, notification),
      seq: null,
      readSeq: null,
    }
    const isShown = type === 'notification.sent' && data.channel === 'in_app'
    rows.notifications.set(notification.id, { ...known, seq: known.seq ?? (isShown ? seq : null) })
  }
  for (const id of data.notification_ids ?? []) {
    rows.notifications.set(id, { ...rows.notifications.get(id)!, readAt: at, readSeq: seq })
  }
  if (preferences) rows.preferences = { ...preferencesOf(preferences), updatedAt: at }
  if (type === 'notification.target.confirmed' && rows.preferences?.webhookId === data.target) {
    rows.preferences = {
      ...rows.preferences!,
      webhookConfirmedAt: rows.preferences!.webhookConfirmedAt ?? at,
    }
  }
}

const instant = (text: string | null): Date | null => (text === null ? null : new Date(text))

function taskOf(view: TaskRecord, before: Task | undefined): Task {
  const isAllDay = view.occurrence_at?.length === 'YYYY-MM-DD'.length
  const slots = (texts: readonly string[]) => texts.map((text) => new Date(text))
  const terms = {
    isAllDay,
    monthEnd: view.month_end!,
    exdates: slots(view.exdates),
    rdates: slots(view.rdates),
  }
  return {
    id: view.id,
    userId: view.user_id,
    title: view.title,
    description: view.description,
    priority: view.priority,
    tags: view.tags,
    completedAt: instant(view.completed_at),
    dueDate: view.due_date,
    dueAt: instant(view.due_at),
    timeZone: view.zone ?? view.time_zone,
    isFloating: view.time_zone === FLOATING,
    remindAt: instant(view.remind_at),
    parentId: view.parent_id,
    position: view.position,
    seriesId: view.series_id,
    occurrenceAt: instant(view.occurrence_at),
    recurrenceRule: view.recurrence_rule,
    repeatFrom: view.repeat_from,
    // Once it repeats no longer, they are what they were.
    seriesTerms:
      view.series_id === null ? null : view.recurrence_rule === null ? (before?.seriesTerms ?? null) : terms,
    version: view.version,
    createdAt: new Date(view.created_at),
    updatedAt: new Date(view.updated_at),
    deletedAt: instant(view.deleted_at),
  }
}

const placeOf = ({ seriesId, occurrenceAt }: Pick<Occurrence, 'seriesId' | 'occurrenceAt'>): string =>
  `${seriesId} ${occurrenceAt.toISOString()}`

/** Those of tasks have moved with these. */
function moveMissed(
  occurrences: Rebuilt['occurrences'],
  seriesId: string,
  moved: NonNullable<Data['moved']>,
): void {
  const left = moved.flatMap(({ from, to }) => {
    const known = occurrences.get(placeOf({ seriesId, occurrenceAt: new Date(from) }))
    return known?.state === 'missed' ? [{ known, to: new Date(to) }] : []
  })
  for (const { known } of left) occurrences.delete(placeOf(known))
  for (const { known, to } of left) {
    const after = { ...known, occurrenceAt: to }
    occurrences.set(placeOf(after), after)
  }
}

/** Which occurrence a task stands for, and what has become of it. */
function followOccurrence(
  occurrences: Rebuilt['occurrences'],
  before: Task | undefined,
  after: Task,
  at: Date,
): void {
  const left = before && occurrenceOf(before)
  const taken = occurrenceOf(after)
  const known = left && occurrences.get(placeOf(left))
  if (known?.taskId === after.id && (!taken || placeOf(known) !== placeOf(taken))) {
    const isOfAnother = after.seriesId !== null && after.seriesId !== known.seriesId
    if (isOfAnother) occurrences.set(placeOf(known), { ...known, state: 'skipped', closedAt: at })
    else occurrences.delete(placeOf(known))
  }
  if (!taken) return
  const closedAt = taken.state === 'open' ? null : known?.state === taken.state ? known.closedAt : at
  occurrences.set(placeOf(taken), { ...taken, closedAt })
}

function occurrenceOf({ id, seriesId, occurrenceAt, completedAt, deletedAt }: Task): Occurrence | null {
  if (seriesId === null || occurrenceAt === null) return null
  const state: OccurrenceState = completedAt ? 'completed' : deletedAt ? 'skipped' : 'open'
  return { seriesId, occurrenceAt, state, taskId: id, closedAt: null }
}

const seriesOf = (view: SeriesView): Series => ({
  id: view.id,
  userId: view.user_id,
  rule: view.recurrence_rule,
  startAt: new Date(view.start_at),
  timeZone: view.time_zone,
  monthEnd: view.month_end,
  repeatFrom: view.repeat_from,
  exdates: view.exdates.map((slot) => new Date(slot)),
  rdates: view.rdates.map((slot) => new Date(slot)),
  isAllDay: view.is_all_day,
  template: {
    title: view.title,
    description: view.description,
    priority: view.priority,
    tags: view.tags,
    parentId: view.parent_id,
    isFloating: view.is_floating,
  },
  state: view.state,
  liveTaskId: view.live_task_id,
  generated: view.generated,
  version: view.version,
  createdAt: new Date(view.created_at!),
  updatedAt: new Date(view.updated_at),
})

const reminderOf = (view: ReminderRecord): Reminder => ({
  id: view.id,
  userId: view.user_id,
  taskId: view.task_id,
  origin: view.origin!,
  remindAt: instant(view.remind_at),
  timeZone: view.time_zone!,
  offsetMinutes: view.offset_minutes,
  channels: view.channels,
  fireAt: instant(view.next_fire_at),
  firedAt: instant(view.fired_at),
  snoozedUntil: instant(view.snoozed_until),
  acknowledgedAt: instant(view.acknowledged_at),
  cancelledAt: instant(view.cancelled_at),
  deletedAt: instant(view.deleted_at),
  version: view.version,
  createdAt: new Date(view.created_at),
  updatedAt: new Date(view.updated_at),
})

const notificationOf = (userId: string, view: NotificationRecord): Notification => ({
  id: view.id,
  userId,
  source: view.source!,
  type: view.type,
  taskId: view.task_id,
  reminderId: view.reminder_id,
  title: view.title,
  body: view.body,
  late: view.late,
  createdAt: new Date(view.created_at),
  readAt: instant(view.read_at),
})

const preferencesOf = (view: PreferencesRecord): Preferences => ({
  channels: view.channels,
  quietHours: view.quiet_hours,
  dailyDigestAt: view.daily_digest?.at ?? null,
  timeZone: view.time_zone,
  defaultReminderMinutes: view.default_reminder_minutes,
  webhookUrl: null,
  webhookSecret: null,
  webhookId: view.webhook_id,
  webhookConfirmedAt: instant(view.webhook_confirmed_at),
  version: view.version,
})

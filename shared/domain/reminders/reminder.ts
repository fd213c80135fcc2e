import { z } from 'zod'
import { instantText, moment, uuid } from '../fields.ts'
import {
  ChannelInput,
  CHANNELS,
  DELIVERY_STATES,
  type Channel,
  type Delivery,
} from '../notifications/notification.ts'

export const ReminderId = uuid

/** A year: nothing is due so far ahead that an earlier reminder would mean anything. */
export const MAX_MINUTES_BEFORE = 366 * 24 * 60
export const MAX_REMINDERS = 20
const ORIGINS = ['user', 'task', 'default'] as const

/**
 * A reminder of a task. It fires at `fireAt`, is changed together with its task in one transaction, and is asked again
 * when it fires: the row, never a job or an event, says what is to happen.
 */
export interface Reminder {
  id: string
  userId: string
  taskId: string
  /**
   * `task`: the task's own `remind_at`, which is changed through the task; at most one per task. `default`: made by the
   * user's preferences (default-reminder.ts); at most one per task ever, so that one that is removed does not come again.
   */
  origin: (typeof ORIGINS)[number]
  /** When it fires first; null while it is relative to a due time that the task does not have. */
  remindAt: Date | null
  /** Where clocks on the wall show what an absolute `remindAt` means: the zone of the task when it was set. */
  timeZone: string
  /** Minutes before the task is due; null when `remindAt` is absolute. */
  offsetMinutes: number | null
  /** Null: as the user's preferences say when it fires. */
  channels: readonly Channel[] | null
  /** The next firing: `remindAt`, the end of a snooze, or a repetition; null when none is to come. */
  fireAt: Date | null
  /** The `fireAt` of the last firing, whenever that really took place. */
  firedAt: Date | null
  snoozedUntil: Date | null
  acknowledgedAt: Date | null
  /** The task was completed, skipped or deleted; taken back when the task is opened again. */
  cancelledAt: Date | null
  deletedAt: Date | null
  version: number
  createdAt: Date
  updatedAt: Date
}

export const REMINDER_STATUSES = [
  'scheduled',
  'triggered',
  'delivered',
  'acknowledged',
  'snoozed',
  'cancelled',
  'failed',
] as const
export type ReminderStatus = (typeof REMINDER_STATUSES)[number]

const FiringView = z
  .object({
    fire_at: instantText,
    channel: z.enum(CHANNELS),
    state: z
      .enum(['scheduled', 'claimed', ...DELIVERY_STATES])
      .describe('held: delayed by quiet hours or the mail limit; scheduled and claimed: pending'),
    attempts: z.int(),
    triggered_at: instantText.nullable(),
    delivered_at: instantText.nullable(),
    late: z.boolean(),
    reason: z.string().nullable().describe('Why the last attempt failed, or why it is held'),
  })
  .meta({ id: 'Firing' })
type FiringView = z.infer<typeof FiringView>

export const ReminderView = z
  .object({
    id: z.uuid(),
    task_id: z.uuid(),
    origin: z
      .enum(ORIGINS)
      .describe("user: added by itself; task: the task's remind_at; default: by default_reminder_minutes"),
    remind_at: instantText.nullable(),
    offset_minutes: z.int().nullable(),
    channels: z.array(z.enum(CHANNELS)).nullable(),
    status: z.enum(REMINDER_STATUSES),
    next_fire_at: instantText.nullable(),
    snoozed_until: instantText.nullable(),
    acknowledged_at: instantText.nullable(),
    version: z.int().positive(),
    created_at: instantText,
    updated_at: instantText,
  })
  .meta({ id: 'Reminder' })
export type ReminderView = z.infer<typeof ReminderView>

/** The reminder in events: with what its row needs and clients do not. */
export const ReminderRecord = ReminderView.extend({
  user_id: z.uuid(),
  origin: ReminderView.shape.origin.nullable().describe('null: the event is of a version that did not say'),
  time_zone: z.string().nullable().describe('Where clocks show what an absolute remind_at means'),
  fired_at: instantText.nullable(),
  cancelled_at: instantText.nullable(),
  deleted_at: instantText.nullable(),
}).meta({ id: 'ReminderRecord' })
export type ReminderRecord = z.infer<typeof ReminderRecord>

export const reminderRecord = (reminder: Reminder, deliveries: readonly Delivery[] = []): ReminderRecord => ({
  ...reminderView(reminder, deliveries),
  user_id: reminder.userId,
  time_zone: reminder.timeZone,
  fired_at: reminder.firedAt?.toISOString() ?? null,
  cancelled_at: reminder.cancelledAt?.toISOString() ?? null,
  deleted_at: reminder.deletedAt?.toISOString() ?? null,
})

export const ListedReminderView = ReminderView.extend({ task_title: z.string() }).meta({
  id: 'ListedReminder',
})
export type ListedReminderView = z.infer<typeof ListedReminderView>

export const ReminderWithFirings = ReminderView.extend({ firings: z.array(FiringView) }).meta({
  id: 'ReminderWithFirings',
})
export type ReminderWithFirings = z.infer<typeof ReminderWithFirings>

/** A reminder on the wire; `deliveries` are those of its last firing, as far as they are known. */
export function reminderView(reminder: Reminder, deliveries: readonly Delivery[] = []): ReminderView {
  return {
    id: reminder.id,
    task_id: reminder.taskId,
    origin: reminder.origin,
    remind_at: reminder.remindAt?.toISOString() ?? null,
    offset_minutes: reminder.offsetMinutes,
    channels: reminder.channels && [...reminder.channels],
    status: statusOf(reminder, deliveries),
    next_fire_at: reminder.fireAt?.toISOString() ?? null,
    snoozed_until: reminder.snoozedUntil?.toISOString() ?? null,
    acknowledged_at: reminder.acknowledgedAt?.toISOString() ?? null,
    version: reminder.version,
    created_at: reminder.createdAt.toISOString(),
    updated_at: reminder.updatedAt.toISOString(),
  }
}

export function reminderWithFirings(
  reminder: Reminder,
  deliveries: readonly Delivery[],
  /** The channels that the next firing would go to, and whether a worker has claimed it just now. */
  next: { channels: readonly Channel[]; isClaimed: boolean },
): ReminderWithFirings {
  const past = deliveries.map<FiringView>((delivery) => ({
    fire_at: delivery.fireAt.toISOString(),
    channel: delivery.channel,
    state: delivery.state,
    attempts: delivery.attempts,
    triggered_at: delivery.triggeredAt.toISOString(),
    delivered_at: delivery.deliveredAt?.toISOString() ?? null,
    late: delivery.late,
    reason: delivery.reason,
  }))
  const toCome = reminder.fireAt
    ? next.channels.map<FiringView>((channel) => ({
        fire_at: reminder.fireAt!.toISOString(),
        channel,
        state: next.isClaimed ? 'claimed' : 'scheduled',
        attempts: 0,
        triggered_at: null,
        delivered_at: null,
        late: false,
        reason: null,
      }))
    : []
  return { ...reminderView(reminder, deliveries), firings: [...past, ...toCome] }
}

function statusOf(reminder: Reminder, deliveries: readonly Delivery[]): ReminderStatus {
  if (reminder.cancelledAt || reminder.deletedAt) return 'cancelled'
  if (reminder.acknowledgedAt) return 'acknowledged'
  // Once the snooze is over, it is what repetitions count from.
  if (reminder.fireAt && reminder.fireAt.getTime() === reminder.snoozedUntil?.getTime()) return 'snoozed'
  if (!reminder.firedAt) {
    // A relative one goes on with the due time and the series; a time that passed while its task was closed is over.
    return reminder.fireAt || reminder.offsetMinutes !== null ? 'scheduled' : 'cancelled'
  }
  const last = deliveries.filter(({ fireAt }) => fireAt.getTime() === reminder.firedAt!.getTime())
  if (last.length === 0 || last.some(({ state }) => state === 'triggered' || state === 'held'))
    return 'triggered'
  if (last.some(({ state }) => state === 'delivered')) return 'delivered'
  return last.some(({ state }) => state === 'failed') ? 'failed' : 'cancelled'
}

const when = {
  remind_at: moment.describe('Absolute; without an offset: local time in the time_zone of the task'),
  offset_minutes: z.int().min(0).max(MAX_MINUTES_BEFORE).describe('Minutes before the task is due'),
}
const channels = z
  .array(ChannelInput)
  .min(1)
  .transform((list) => [...new Set(list)])
  .nullable()
  .describe("null: those in the user's preferences when it fires")

/** A new reminder: either `remind_at` or `offset_minutes`. */
export const ReminderInput = z
  .union([
    z.strictObject({ remind_at: when.remind_at, channels: channels.default(null) }),
    z.strictObject({ offset_minutes: when.offset_minutes, channels: channels.default(null) }),
  ])
  .meta({ id: 'ReminderInput', examples: [{ remind_at: '2099-12-31T09:00:00Z' }] })
export type ReminderInput = z.infer<typeof ReminderInput>

/** A merge patch: a new time replaces the old one, whichever kind that was. */
export const ReminderPatch = z
  .strictObject({ ...when, channels })
  .partial()
  .refine(
    (patch) => patch.remind_at === undefined || patch.offset_minutes === undefined,
    'must not have both remind_at and offset_minutes',
  )
  .meta({ id: 'ReminderPatch', examples: [{ offset_minutes: 10 }] })
export type ReminderPatch = z.infer<typeof ReminderPatch>

export const SnoozeRequest = z
  .union([
    z.strictObject({ minutes: z.int().min(1).max(MAX_MINUTES_BEFORE) }),
    z.strictObject({ until: moment.describe('Without an offset: local time in the time_zone of the task') }),
  ])
  .meta({ id: 'SnoozeRequest', examples: [{ minutes: 15 }] })
export type SnoozeRequest = z.infer<typeof SnoozeRequest>

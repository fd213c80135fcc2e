import { z } from 'zod'
import { instantText, uuid } from '../fields.ts'

export const NotificationId = uuid

export const CHANNELS = ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'] as const
export type Channel = (typeof CHANNELS)[number]

export const ChannelInput = z.enum(CHANNELS, {
  error: ({ input }) =>
    input === 'sms'
      ? 'sms is not a channel: Daybook sends no text messages; a webhook can hand them to a service that does'
      : undefined,
})

/**
 * What users choose channels for: a reminder that fired, what quiet hours held back, the tasks of the day, or whatever
 * another service asks to have told (`notification.requested`).
 */
export const NOTIFICATION_TYPES = ['reminder', 'quiet_digest', 'daily_digest', 'notice'] as const
export type ChosenType = (typeof NOTIFICATION_TYPES)[number]

/** Mails about the account, which go to the address in their `body` whatever the user has chosen. */
const ACCOUNT_MAILS = ['password_reset', 'password_change', 'address_change'] as const
export type AccountMail = (typeof ACCOUNT_MAILS)[number]

/** `confirmation`: the first message to an address, a webhook or a device, which is to show that it is the user's. */
export type NotificationType = ChosenType | 'confirmation' | AccountMail

/** Whether users choose how they are told of it, and the log holds what became of it. */
export const isChosen = (type: NotificationType): type is ChosenType =>
  (NOTIFICATION_TYPES as readonly NotificationType[]).includes(type)

/** What is said, once, whichever channels say it. */
export interface Notification {
  id: string
  userId: string
  /** What it tells of, once per user: `reminder/<id>/<fire_at>`, `event/<id>`, `digest/<date>` … */
  source: string
  type: NotificationType
  taskId: string | null
  reminderId: string | null
  title: string
  body: string
  late: boolean
  createdAt: Date
  readAt: Date | null
}

export const DELIVERY_STATES = ['triggered', 'held', 'delivered', 'failed', 'cancelled'] as const
type DeliveryState = (typeof DELIVERY_STATES)[number]

/** Of a delivery that has no target of its own: everything but push. */
export const NO_TARGET = '00000000-0000-0000-0000-000000000000'

/**
 * One line of the ledger: one notification on one channel (for push: to one device). Its id stays the same however often
 * it is tried, and is what others recognise a repetition by (Message-ID, Topic, webhook-id).
 */
export interface Delivery {
  id: string
  userId: string
  notificationId: string
  reminderId: string | null
  taskId: string | null
  /** When it was to reach the user; of a reminder, the planned firing. */
  fireAt: Date
  channel: Channel
  /** The push subscription, or the webhook that is to be confirmed; else NO_TARGET. */
  target: string
  state: DeliveryState
  attempts: number
  /** When it is tried next, or leaves quiet hours; null when it is over. */
  nextAttemptAt: Date | null
  triggeredAt: Date
  deliveredAt: Date | null
  late: boolean
  reason: string | null
  /** The notification that carries it, when quiet hours held it back. */
  digestId: string | null
  version: number
}

export const changedDelivery = (delivery: Delivery, to: Partial<Delivery>): Delivery => ({
  ...delivery,
  ...to,
  version: delivery.version + 1,
})

export const NotificationView = z
  .object({
    id: z.uuid(),
    type: z.enum([...NOTIFICATION_TYPES, 'confirmation', ...ACCOUNT_MAILS]),
    task_id: z.uuid().nullable(),
    reminder_id: z.uuid().nullable(),
    title: z.string(),
    body: z.string(),
    late: z.boolean().describe('Delivered more than a minute after it was due'),
    created_at: instantText,
    read_at: instantText.nullable(),
  })
  .meta({ id: 'Notification' })
export type NotificationView = z.infer<typeof NotificationView>

/** The notification in events: with what its row needs and clients do not. */
export const NotificationRecord = NotificationView.extend({
  source: z
    .string()
    .nullable()
    .describe('What it tells of, once per user; null: the event is of a version that did not say'),
}).meta({ id: 'NotificationRecord' })
export type NotificationRecord = z.infer<typeof NotificationRecord>

export const notificationRecord = (notification: Notification): NotificationRecord => ({
  ...notificationView(notification),
  source: notification.source,
})

export const notificationView = (notification: Notification): NotificationView => ({
  id: notification.id,
  type: notification.type,
  task_id: notification.taskId,
  reminder_id: notification.reminderId,
  title: notification.title,
  body: notification.body,
  late: notification.late,
  created_at: notification.createdAt.toISOString(),
  read_at: notification.readAt?.toISOString() ?? null,
})

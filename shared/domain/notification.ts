import { z } from 'zod'
import { instantText, uuid } from './fields.ts'

export const NotificationId = uuid

export const CHANNELS = ['in_app', 'email', 'web_push', 'mobile_push', 'webhook'] as const
export type Channel = (typeof CHANNELS)[number]

/**
 * What a notification tells of: a reminder that fired, what quiet hours held back, the tasks of the day, or whatever
 * another service asks to have told (`notification.requested`).
 */
export const NOTIFICATION_TYPES = ['reminder', 'quiet_digest', 'daily_digest', 'notice'] as const
export type NotificationType = (typeof NOTIFICATION_TYPES)[number]

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
export type DeliveryState = (typeof DELIVERY_STATES)[number]

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
  /** When it was to reach the user; of a reminder, the planned firing. */
  fireAt: Date
  channel: Channel
  /** The push subscription, else NO_TARGET. */
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
  /** Counts every change, from 1. */
  version: number
}

/** A delivery with what changes of it. */
export const changedDelivery = (delivery: Delivery, to: Partial<Delivery>): Delivery => ({
  ...{ ...delivery, ...to },
  version: delivery.version + 1,
})

export const NotificationView = z
  .object({
    id: z.uuid(),
    type: z.enum(NOTIFICATION_TYPES),
    task_id: z.uuid().nullable(),
    reminder_id: z.uuid().nullable(),
    title: z.string(),
    body: z.string(),
    late: z.boolean().describe('It comes more than a minute after it was due'),
    created_at: instantText,
    read_at: instantText.nullable(),
  })
  .meta({ id: 'Notification' })
export type NotificationView = z.infer<typeof NotificationView>

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

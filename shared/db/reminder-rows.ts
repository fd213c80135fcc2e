import type { AnnouncedNotification } from '../domain/decision.ts'
import type {
  Channel,
  Delivery,
  DeliveryState,
  Notification,
  NotificationType,
} from '../domain/notification.ts'
import type { Reminder } from '../domain/reminder.ts'

export interface ReminderRow {
  id: string
  user_id: string
  task_id: string
  origin: string
  remind_at: Date | null
  offset_minutes: number | null
  channels: string[] | null
  fire_at: Date | null
  fired_at: Date | null
  snoozed_until: Date | null
  acknowledged_at: Date | null
  cancelled_at: Date | null
  deleted_at: Date | null
  version: number
  created_at: Date
  updated_at: Date
}

export interface NotificationRow {
  id: string
  user_id: string
  source: string
  type: string
  task_id: string | null
  reminder_id: string | null
  title: string
  body: string
  late: boolean
  seq: number | null
  created_at: Date
  read_at: Date | null
}

export interface DeliveryRow {
  id: string
  user_id: string
  notification_id: string
  reminder_id: string | null
  fire_at: Date
  channel: string
  target: string
  state: string
  attempts: number
  next_attempt_at: Date | null
  triggered_at: Date
  delivered_at: Date | null
  late: boolean
  reason: string | null
  digest_id: string | null
  version: number
}

export const reminderFromRow = (row: ReminderRow): Reminder => ({
  id: row.id,
  userId: row.user_id,
  taskId: row.task_id,
  origin: row.origin as Reminder['origin'],
  remindAt: row.remind_at,
  offsetMinutes: row.offset_minutes,
  channels: row.channels as Channel[] | null,
  fireAt: row.fire_at,
  firedAt: row.fired_at,
  snoozedUntil: row.snoozed_until,
  acknowledgedAt: row.acknowledged_at,
  cancelledAt: row.cancelled_at,
  deletedAt: row.deleted_at,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export const reminderToRow = (reminder: Reminder) => ({
  id: reminder.id,
  task_id: reminder.taskId,
  origin: reminder.origin,
  remind_at: reminder.remindAt,
  offset_minutes: reminder.offsetMinutes,
  channels: reminder.channels,
  fire_at: reminder.fireAt,
  fired_at: reminder.firedAt,
  snoozed_until: reminder.snoozedUntil,
  acknowledged_at: reminder.acknowledgedAt,
  cancelled_at: reminder.cancelledAt,
  deleted_at: reminder.deletedAt,
  version: reminder.version,
  created_at: reminder.createdAt,
  updated_at: reminder.updatedAt,
})

export const notificationFromRow = (row: NotificationRow): Notification => ({
  id: row.id,
  userId: row.user_id,
  source: row.source,
  type: row.type as NotificationType,
  taskId: row.task_id,
  reminderId: row.reminder_id,
  title: row.title,
  body: row.body,
  late: row.late,
  createdAt: row.created_at,
  readAt: row.read_at,
})

/** `seq` counts from the change's first event, 1; commit_reminding adds what came before. */
export const notificationToRow = ({ notification, fact }: AnnouncedNotification) => ({
  id: notification.id,
  source: notification.source,
  type: notification.type,
  task_id: notification.taskId,
  reminder_id: notification.reminderId,
  title: notification.title,
  body: notification.body,
  late: notification.late,
  seq: fact === null ? null : fact + 1,
  created_at: notification.createdAt,
  read_at: notification.readAt,
})

export const deliveryFromRow = (row: DeliveryRow): Delivery => ({
  id: row.id,
  userId: row.user_id,
  notificationId: row.notification_id,
  reminderId: row.reminder_id,
  fireAt: row.fire_at,
  channel: row.channel as Channel,
  target: row.target,
  state: row.state as DeliveryState,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
  triggeredAt: row.triggered_at,
  deliveredAt: row.delivered_at,
  late: row.late,
  reason: row.reason,
  digestId: row.digest_id,
  version: row.version,
})

export const deliveryToRow = (delivery: Delivery) => ({
  id: delivery.id,
  notification_id: delivery.notificationId,
  reminder_id: delivery.reminderId,
  fire_at: delivery.fireAt,
  channel: delivery.channel,
  target: delivery.target,
  state: delivery.state,
  attempts: delivery.attempts,
  next_attempt_at: delivery.nextAttemptAt,
  triggered_at: delivery.triggeredAt,
  delivered_at: delivery.deliveredAt,
  late: delivery.late,
  reason: delivery.reason,
  digest_id: delivery.digestId,
  version: delivery.version,
})

import type { Change } from '../../app/ports.ts'
import type { Delivery, Notification } from '../../domain/notifications/notification.ts'
import type { Reminder } from '../../domain/reminders/reminder.ts'
import { columnsOf } from '../columns.ts'
import { wallOf } from '../tasks/task-rows.ts'

const reminders = columnsOf<Reminder>()({
  id: 'id',
  userId: 'user_id',
  taskId: 'task_id',
  origin: 'origin',
  remindAt: 'remind_at',
  timeZone: 'time_zone',
  offsetMinutes: 'offset_minutes',
  channels: 'channels',
  fireAt: 'fire_at',
  firedAt: 'fired_at',
  snoozedUntil: 'snoozed_until',
  acknowledgedAt: 'acknowledged_at',
  cancelledAt: 'cancelled_at',
  deletedAt: 'deleted_at',
  version: 'version',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
})
export const reminderFromRow = reminders.fromRow
export type ReminderRow = ReturnType<typeof reminders.toRow>

/** The row as commit_change takes it. */
export const reminderToRow = (reminder: Reminder): ReminderRow & { remind_wall: string | null } => ({
  ...reminders.toRow(reminder),
  remind_wall: wallOf(reminder.remindAt, reminder.timeZone),
})

const notifications = columnsOf<Notification>()({
  id: 'id',
  userId: 'user_id',
  source: 'source',
  type: 'type',
  taskId: 'task_id',
  reminderId: 'reminder_id',
  title: 'title',
  body: 'body',
  late: 'late',
  createdAt: 'created_at',
  readAt: 'read_at',
})
export const notificationFromRow = notifications.fromRow
export type NotificationRow = ReturnType<typeof notifications.toRow> & { seq: number | null }

/** `seq` counts from the change's first event, 1; commit_reminding adds what came before. */
export const notificationToRow = ({
  notification,
  fact,
}: NonNullable<Change['newNotifications']>[number]): NotificationRow => ({
  ...notifications.toRow(notification),
  seq: fact === null ? null : fact + 1,
})

export const { fromRow: deliveryFromRow, toRow: deliveryToRow } = columnsOf<Delivery>()({
  id: 'id',
  userId: 'user_id',
  notificationId: 'notification_id',
  reminderId: 'reminder_id',
  taskId: 'task_id',
  fireAt: 'fire_at',
  channel: 'channel',
  target: 'target',
  state: 'state',
  attempts: 'attempts',
  nextAttemptAt: 'next_attempt_at',
  triggeredAt: 'triggered_at',
  deliveredAt: 'delivered_at',
  late: 'late',
  reason: 'reason',
  digestId: 'digest_id',
  version: 'version',
})
export type DeliveryRow = ReturnType<typeof deliveryToRow>

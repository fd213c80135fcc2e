import {
  NO_TARGET,
  type Delivery,
  type Notification,
} from '../../shared/domain/notifications/notification.ts'
import { systemIds } from '../../shared/kit/system.ts'
import type { Message } from '../../shared/app/notifications/ports.ts'
import { NOON } from './a-task.ts'

/** What no reason and no log may contain. */
export const TITLE = 'Secret surprise party'

export const aNotification = (said: Partial<Notification> = {}): Notification => ({
  id: systemIds.uuid(),
  userId: systemIds.uuid(),
  source: 'event/1',
  type: 'reminder',
  taskId: systemIds.uuid(),
  reminderId: null,
  title: TITLE,
  body: 'Due at nine.',
  late: false,
  createdAt: NOON,
  readAt: null,
  ...said,
})

export const aMessage = (said: Partial<Notification> = {}): Message => ({
  id: systemIds.uuid(),
  notification: aNotification(said),
})

/** A mail that is to be sent at noon. */
export const aDelivery = (over: Partial<Delivery> = {}): Delivery => ({
  id: systemIds.uuid(),
  userId: systemIds.uuid(),
  notificationId: systemIds.uuid(),
  taskId: null,
  reminderId: null,
  fireAt: NOON,
  channel: 'email',
  target: NO_TARGET,
  state: 'triggered',
  attempts: 0,
  nextAttemptAt: NOON,
  triggeredAt: NOON,
  deliveredAt: null,
  late: false,
  reason: null,
  digestId: null,
  version: 1,
  ...over,
})

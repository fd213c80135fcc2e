import { fact, type Fact } from '../decision.ts'
import {
  NotificationCreated,
  NotificationRead,
  NotificationSent,
  PreferencesUpdated,
  TargetConfirmed,
} from '../events.ts'
import { notificationRecord, type Delivery, type Notification } from './notification.ts'
import { preferencesRecord, type Preferences } from './notification-preferences.ts'

/** Of one that no other event tells of. */
export const createdFact = (notification: Notification): Fact =>
  fact(NotificationCreated, `notification/${notification.id}`, {
    notification: notificationRecord(notification),
  })

export const sentFact = (notification: Notification, { id, channel, attempts }: Delivery): Fact =>
  fact(NotificationSent, `notification/${notification.id}`, {
    notification: notificationRecord(notification),
    delivery_id: id,
    channel,
    attempts,
  })

export const readFact = (userId: string, ids: string[], now: Date): Fact =>
  fact(NotificationRead, `user/${userId}`, { notification_ids: ids, read_at: now.toISOString() })

export const preferencesFact = (userId: string, preferences: Preferences): Fact =>
  fact(PreferencesUpdated, `user/${userId}`, { preferences: preferencesRecord(preferences) })

/** A webhook or a device has answered its first message. */
export const confirmedFact = ({ userId, channel, target }: Delivery): Fact =>
  fact(TargetConfirmed, `user/${userId}`, { channel, target })

import { z } from 'zod'
import { notificationView, NotificationView } from '../domain/notification.ts'
import { instantText } from '../domain/fields.ts'
import type { Deps } from './ports.ts'
import type { ShownNotification } from './reminder-ports.ts'
import type { LiveEvents, ServerSentEvent } from './stream-ports.ts'

const BATCH = 100

/** The events of the stream by name. */
export const NOTIFICATION_EVENTS = {
  connected: z.object({
    resumed_from: z
      .int()
      .nullable()
      .describe('The place after which the stream goes on; null: from now on, so load the list'),
    server_time: instantText,
  }),
  reminder: NotificationView,
  notification: NotificationView,
  heartbeat: z.object({ server_time: instantText }),
}

/**
 * What is shown to a user after a place (the `seq` of a notification), from the rows, so that every replica tells the
 * same. Without a place, or with one that lies ahead of all that happened, it begins now.
 */
export async function streamNotifications(
  { clock, notifications, notificationFeed }: Pick<Deps, 'clock' | 'notifications' | 'notificationFeed'>,
  userId: string,
  lastSeen: number | null,
): Promise<LiveEvents> {
  const last = await notifications.lastSeq(userId)
  const resumedFrom = lastSeen !== null && lastSeen <= last ? lastSeen : null
  let seq = resumedFrom ?? last
  return {
    // With an id from the beginning, a connection that breaks before the first notification misses none.
    first: {
      ...{ event: 'connected', id: seq },
      data: { resumed_from: resumedFrom, server_time: clock.now().toISOString() },
    },
    subscribe: (onNews) => notificationFeed.subscribe(userId, onNews),
    async next() {
      const found = await notifications.after(userId, seq, BATCH)
      seq = found.at(-1)?.seq ?? seq
      return found.map(toEvent)
    },
  }
}

const toEvent = ({ notification, seq }: ShownNotification): ServerSentEvent => ({
  event: notification.type === 'reminder' ? 'reminder' : 'notification',
  id: seq,
  data: notificationView(notification),
})

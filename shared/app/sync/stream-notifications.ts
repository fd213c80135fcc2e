import { z } from 'zod'
import { notificationView, NotificationView } from '../../domain/notifications/notification.ts'
import { instantText } from '../../domain/fields.ts'
import type { Deps } from '../ports.ts'
import type { ReadTogether, ShownNotification } from '../notifications/ports.ts'
import type { LiveEvents } from './ports.ts'

const BATCH = 100

export const NOTIFICATION_EVENTS = {
  connected: z.object({
    resumed_from: z
      .int()
      .nullable()
      .describe('The position after which the stream continues; null: it begins now, so load the list'),
    server_time: instantText,
  }),
  reminder: NotificationView,
  notification: NotificationView,
  read: z.object({
    notification_ids: z.array(z.uuid()).nullable().describe('null: too many to name; load the list'),
    unread: z.int().describe('How many are unread by now'),
  }),
  heartbeat: z.object({ server_time: instantText }),
}

/**
 * What is shown to a user after a place (the `seq` of a notification), from the rows, so that every replica tells the
 * same. Without a place, or with one that lies ahead of all that happened, it begins now.
 */
export async function streamNotifications(
  { clock, notifications, changeSignal }: Pick<Deps, 'clock' | 'notifications' | 'changeSignal'>,
  userId: string,
  lastSeen: number | null,
): Promise<LiveEvents> {
  const last = await notifications.lastSeq(userId)
  const resumedFrom = lastSeen !== null && lastSeen <= last ? lastSeen : null
  let seq = resumedFrom ?? last
  return {
    // With an id from the beginning, a connection that breaks before the first notification misses none.
    first: {
      event: 'connected',
      id: seq,
      data: { resumed_from: resumedFrom, server_time: clock.now().toISOString() },
    },
    subscribe: (onNews) => changeSignal.subscribe(userId, onNews),
    async next() {
      const { reads, upTo } = await notifications.readAfter(userId, seq, BATCH)
      const shown = await notifications.after(userId, seq, BATCH)
      // Of a list that may go on, nothing of the other beyond its end; what was shown since has its own news.
      const end = Math.min(upTo, shown.at(-1)?.seq ?? upTo, reads.length === BATCH ? reads.at(-1)!.seq : upTo)
      const found = [...shown.map(shownEvent), ...reads.map(readEvent)]
        .filter(({ id }) => id <= end)
        .toSorted((a, b) => a.id - b.id)
      seq = found.at(-1)?.id ?? seq
      const isWhole = found.length === shown.length + reads.length
      const hasMore = found.length > 0 && (!isWhole || Math.max(shown.length, reads.length) === BATCH)
      return { items: found, hasMore }
    },
  }
}

const shownEvent = ({ notification, seq }: ShownNotification) => ({
  event: notification.type === 'reminder' ? 'reminder' : 'notification',
  id: seq,
  data: notificationView(notification),
})

const readEvent = ({ ids, unread, seq }: ReadTogether) => ({
  event: 'read',
  id: seq,
  data: { notification_ids: ids, unread },
})

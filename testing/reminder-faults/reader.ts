import type { NotificationReader } from '../../shared/app/notifications/ports.ts'
import type { ReminderWorld } from './world.ts'

/** An app that follows what is shown to a user: whenever it looks, from the last place it has seen. */
export interface Follower {
  readonly userId: string
  readonly seen: { id: string; seq: number }[]
  look(): Promise<void>
}

export function follow(world: ReminderWorld, reader: NotificationReader, userId: string): Follower {
  const seen: Follower['seen'] = []
  return {
    userId,
    seen,
    look: async () => {
      const news = await world.scheduler.outside(() => reader.after(userId, seen.at(-1)?.seq ?? 0, 50))
      seen.push(...news.map(({ notification, seq }) => ({ id: notification.id, seq })))
    },
  }
}

import { z } from 'zod'
import { cursorAt, readCursor } from '../../domain/cursor.ts'
import { notificationView, type NotificationView } from '../../domain/notifications/notification.ts'
import type { Deps } from '../ports.ts'

export const MAX_NOTIFICATIONS = 100

interface NotificationQuery {
  limit: number
  cursor: string | null
  onlyUnread: boolean
}

export interface NotificationPage {
  items: NotificationView[]
  unread: number
  next_cursor: string | null
}

const Seq = z.int().positive()

/** A page of what the app shows, newest first; `request.invalid` for what is no cursor of the same list. */
export async function listNotifications(
  deps: Pick<Deps, 'notifications'>,
  userId: string,
  { limit, cursor, onlyUnread }: NotificationQuery,
): Promise<NotificationPage> {
  const list = { list: 'notifications', onlyUnread }
  const before = cursor === null ? null : readCursor(list, Seq, cursor)
  const { items, unread, hasMore } = await deps.notifications.list(userId, { before, onlyUnread, limit })
  return {
    items: items.map(({ notification }) => notificationView(notification)),
    unread,
    next_cursor: hasMore ? cursorAt(list, items.at(-1)!.seq) : null,
  }
}

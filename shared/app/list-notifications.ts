import { z } from 'zod'
import { invalidField } from '../domain/errors.ts'
import { notificationView, type NotificationView } from '../domain/notification.ts'
import type { Deps } from './ports.ts'

export const MAX_NOTIFICATIONS = 100

interface NotificationQuery {
  limit: number
  /** `next_cursor` of the page before. */
  cursor: string | null
  onlyUnread: boolean
}

export interface NotificationPage {
  items: NotificationView[]
  unread: number
  next_cursor: string | null
}

/** A page of what the app shows, newest first; `request.invalid` for what is no cursor. */
export async function listNotifications(
  deps: Pick<Deps, 'notifications'>,
  userId: string,
  { limit, cursor, onlyUnread }: NotificationQuery,
): Promise<NotificationPage> {
  const before = cursor === null ? null : placeOf(cursor)
  const { items, unread } = await deps.notifications.list(userId, { before, onlyUnread, limit: limit + 1 })
  const page = items.slice(0, limit)
  return {
    items: page.map(({ notification }) => notificationView(notification)),
    unread,
    next_cursor: items.length > limit ? cursorAt(page.at(-1)!.seq) : null,
  }
}

const Cursor = z.tuple([z.literal('notifications'), z.int().positive()])

const cursorAt = (seq: number): string =>
  Buffer.from(JSON.stringify(['notifications', seq] satisfies z.infer<typeof Cursor>)).toString('base64url')

function placeOf(cursor: string): number {
  const read = Cursor.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()))
  if (!read.success) throw invalidField('cursor', 'must be a next_cursor of this list')
  return read.data[1]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no cursor, which the schema then says
  }
}

import { z } from 'zod'
import { listNotifications, MAX_NOTIFICATIONS } from '../../shared/app/notifications/list-notifications.ts'
import { NotificationView } from '../../shared/domain/notifications/notification.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const NotificationList = z
  .object({
    items: z.array(NotificationView),
    unread: z.int().describe('All unread notifications, on any page'),
    next_cursor: z.string().nullable().describe('Null on the last page'),
  })
  .meta({ id: 'NotificationList' })

export default httpFunction({
  route: 'GET /api/notifications',
  summary: "The caller's notifications, newest first",
  auth: 'notifications:read',
  uses: ['notifications'],
  query: z.strictObject({
    limit: z.int().min(1).max(MAX_NOTIFICATIONS).default(50),
    cursor: z
      .string()
      .max(200)
      .optional()
      .describe('next_cursor of the previous page, with the same `unread`'),
    unread: z.boolean().default(false).describe('Only those that are unread'),
  }),
  output: NotificationList,
  handle: async ({ query, actor, deps }) => ({
    body: await listNotifications(deps, actor.userId, {
      limit: query.limit,
      cursor: query.cursor ?? null,
      onlyUnread: query.unread,
    }),
  }),
})

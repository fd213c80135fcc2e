import { z } from 'zod'
import { listNotifications, MAX_NOTIFICATIONS } from '../../shared/app/list-notifications.ts'
import { NotificationView } from '../../shared/domain/notification.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const NotificationList = z
  .object({
    items: z.array(NotificationView),
    unread: z.int().describe('All that are unread, on whichever page'),
    next_cursor: z.string().nullable().describe('Null on the last page'),
  })
  .meta({ id: 'NotificationList' })

export default httpFunction({
  route: 'GET /api/notifications',
  summary: 'What the app shows, newest first',
  auth: 'user',
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(MAX_NOTIFICATIONS).default(50),
    cursor: z.string().max(200).optional().describe('next_cursor of the page before'),
    unread: z.enum(['true', 'false']).default('false').describe('Only those that are unread'),
  }),
  output: NotificationList,
  handle: async ({ query, actor, deps }) => ({
    body: await listNotifications(deps, actor.userId, {
      ...{ limit: query.limit, cursor: query.cursor ?? null },
      onlyUnread: query.unread === 'true',
    }),
  }),
})

import { z } from 'zod'
import { MAX_READ_AT_ONCE, readAllNotifications } from '../../shared/app/notifications/read-notifications.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/notifications/read-all',
  summary: `Mark every notification as read, the newest ${MAX_READ_AT_ONCE} at a time`,
  auth: 'notifications:write',
  uses: ['notifications', 'events'],
  output: z.object({
    read: z.int().describe('How many were unread'),
    unread: z.int().describe('How many are still unread; repeat the request for these'),
  }),
  handle: async ({ write, deps }) => ({ body: await readAllNotifications(deps, write) }),
})

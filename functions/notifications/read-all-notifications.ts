import { z } from 'zod'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/notifications/read-all',
  summary: 'Mark every notification as read',
  auth: 'user',
  output: z.object({ read: z.int().describe('How many were unread') }),
  handle: async ({ write, deps }) => ({
    body: { read: await deps.notifications.markAllRead(write.actor.userId, write.now) },
  }),
})

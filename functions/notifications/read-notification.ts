import { z } from 'zod'
import { DomainError } from '../../shared/domain/errors.ts'
import { NotificationId, notificationView, NotificationView } from '../../shared/domain/notification.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// It has no version and the first time stays, so a retry is safe without an Idempotency-Key.
export default httpFunction({
  route: 'POST /api/notifications/:id/read',
  summary: 'Mark a notification as read; the first time is kept',
  auth: 'user',
  params: z.object({ id: NotificationId }),
  output: NotificationView,
  refuses: ['notification.not_found'],
  handle: async ({ params, write, deps }) => {
    const read = await deps.notifications.markRead(write.actor.userId, params.id, write.now)
    if (!read) throw new DomainError('notification.not_found', 'There is no such notification.')
    return { body: notificationView(read) }
  },
})

import { z } from 'zod'
import { readNotification } from '../../shared/app/notifications/read-notifications.ts'
import {
  NotificationId,
  notificationView,
  NotificationView,
} from '../../shared/domain/notifications/notification.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// It has no version and the first time stays, so a retry is safe without an Idempotency-Key.
export default httpFunction({
  route: 'POST /api/notifications/:id/read',
  summary: 'Mark a notification as read; the first read time stays',
  auth: 'notifications:write',
  uses: ['notifications', 'events'],
  params: z.object({ id: NotificationId }),
  output: NotificationView,
  refuses: ['notification.not_found'],
  handle: async ({ params, write, deps }) => ({
    body: notificationView(await readNotification(deps, write, params.id)),
  }),
})

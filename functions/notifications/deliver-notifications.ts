import { createNotification } from '../../shared/app/notifications/create-notification.ts'
import { deliverDue } from '../../shared/app/notifications/deliver-notifications.ts'
import { PermanentError } from '../../shared/domain/errors.ts'
import { NotificationRequested, ReminderTriggered } from '../../shared/domain/events.ts'
import { NotificationId } from '../../shared/domain/notifications/notification.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

// Wakes what sweep-deliveries does every few seconds anyway, for the one notification that is known to be there.
export default topicFunction({
  on: [ReminderTriggered, NotificationRequested],
  uses: ['notifications', 'deliveries', 'identity', 'events'],
  handle: async ({ event, commit, trace, madeBy, deps }) => {
    // Its notification gets its id; an event of Daybook's own has such a one.
    if (!NotificationId.safeParse(event.id).success) throw new PermanentError('the event id is not a UUID')
    if (event.type === NotificationRequested.type && !event.data.notification) {
      const { title, body, task_id: taskId } = event.data
      const asked = { id: event.id, userId: event.userid, title, body, taskId }
      await createNotification(deps, { ...asked, requestedAt: new Date(event.time), trace, madeBy, commit })
    }
    await deliverDue(deps, madeBy, { notificationId: event.data.notification?.id ?? event.id })
  },
})

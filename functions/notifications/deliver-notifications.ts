import { announceNotice } from '../../shared/app/announce-notice.ts'
import { deliverDue } from '../../shared/app/deliver-notifications.ts'
import { PermanentError } from '../../shared/domain/errors.ts'
import { NotificationRequested, ReminderTriggered } from '../../shared/domain/events.ts'
import { NotificationId } from '../../shared/domain/notification.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

// Wakes what sweep-deliveries does every few seconds anyway, for the one notification that is known to be there.
export default topicFunction({
  consumer: 'deliver-notifications',
  on: [ReminderTriggered, NotificationRequested],
  handle: async ({ event, commit, trace, deps }) => {
    const made = event.data.notification
    // Its notification gets its id; an event of Daybook's own has such a one.
    if (!NotificationId.safeParse(event.id).success)
      throw new PermanentError('the id of the event is no UUID')
    if (!made && 'title' in event.data) {
      const { title, body, task_id: taskId } = event.data
      const asked = { id: event.id, userId: event.userid, title, body, taskId }
      await announceNotice(deps, { ...asked, requestedAt: new Date(event.time), trace, commit })
    }
    await deliverDue(deps, { notificationId: made?.id ?? event.id })
  },
})

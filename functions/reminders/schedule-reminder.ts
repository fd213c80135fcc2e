import { setAlarm } from '../../shared/app/reminders/set-alarm.ts'
import {
  ReminderAcknowledged,
  ReminderCancelled,
  ReminderRescheduled,
  ReminderScheduled,
  ReminderSnoozed,
  ReminderTriggered,
} from '../../shared/domain/events.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

// Whatever happened to a reminder, its row says when it fires next; the job only wakes who looks there.
export default topicFunction({
  on: [
    ReminderScheduled,
    ReminderRescheduled,
    ReminderSnoozed,
    ReminderTriggered,
    ReminderAcknowledged,
    ReminderCancelled,
  ],
  uses: ['reminders', 'jobs'],
  handle: ({ event, deps }) => setAlarm(deps, event.data.reminder.id),
})

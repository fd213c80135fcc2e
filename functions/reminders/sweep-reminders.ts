import { fireDue } from '../../shared/app/fire-reminders.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// Fires what is due, whatever became of its job: at start-up, when the next reminder comes up, and by the schedule.
export default cronFunction({
  binding: 'reminder-cron',
  handle: (deps) => fireDue(deps),
  whileAwake: { nextAt: (deps) => deps.dueReminders.nextDueAt(), everyMs: 15_000 },
})

import { fireDue } from '../../shared/app/reminders/fire-reminders.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// Fires what is due, whatever became of its job: at start-up, when the next reminder comes up, and by the schedule.
export default cronFunction({
  schedule: '@every 5m',
  uses: ['reminders', 'events'],
  wakesOn: 'dueReminders',
  everyMs: 15_000,
  handle: (deps, madeBy) => fireDue(deps, madeBy),
})

import { z } from 'zod'
import { writeReminder } from '../../shared/app/reminders/write-reminder.ts'
import { decideSnooze } from '../../shared/domain/reminders/edit-reminder.ts'
import { ReminderId, ReminderView, SnoozeRequest } from '../../shared/domain/reminders/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/reminders/:id/snooze',
  summary: 'Snooze a reminder: it fires once more, later',
  auth: 'reminders:write',
  uses: ['reminders', 'events'],
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  body: SnoozeRequest,
  output: ReminderView,
  refuses: ['reminder.not_found', 'reminder.version_conflict', 'reminder.not_open', 'quota.exceeded'],
  handle: ({ params, body, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideSnooze(state, body, write.now)),
})

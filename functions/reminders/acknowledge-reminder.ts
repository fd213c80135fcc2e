import { z } from 'zod'
import { writeReminder } from '../../shared/app/reminders/write-reminder.ts'
import { decideAcknowledge } from '../../shared/domain/reminders/edit-reminder.ts'
import { ReminderId, ReminderView } from '../../shared/domain/reminders/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/reminders/:id/acknowledge',
  summary: 'Acknowledge a reminder: it stops repeating',
  auth: 'reminders:write',
  uses: ['reminders', 'events'],
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  output: ReminderView,
  refuses: ['reminder.not_found', 'reminder.version_conflict'],
  handle: ({ params, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideAcknowledge(state, write.now)),
})

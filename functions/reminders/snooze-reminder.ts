import { z } from 'zod'
import { writeReminder } from '../../shared/app/write-reminder.ts'
import { decideSnooze } from '../../shared/domain/edit-reminder.ts'
import { ReminderId, ReminderView, SnoozeRequest } from '../../shared/domain/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/reminders/:id/snooze',
  summary: 'Be reminded once more, later',
  auth: 'user',
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  body: SnoozeRequest,
  output: ReminderView,
  refuses: ['reminder.not_found', 'reminder.version_conflict', 'reminder.not_open'],
  handle: ({ params, body, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideSnooze(state, body, write.now)),
})

import { z } from 'zod'
import { writeReminder } from '../../shared/app/write-reminder.ts'
import { decideAcknowledge } from '../../shared/domain/edit-reminder.ts'
import { ReminderId, ReminderView } from '../../shared/domain/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'POST /api/reminders/:id/acknowledge',
  summary: 'Say that a reminder has been seen: it repeats no more',
  auth: 'user',
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  output: ReminderView,
  refuses: ['reminder.not_found', 'reminder.version_conflict'],
  handle: ({ params, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideAcknowledge(state, write.now)),
})

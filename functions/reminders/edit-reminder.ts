import { z } from 'zod'
import { writeReminder } from '../../shared/app/write-reminder.ts'
import { decideReminderEdit } from '../../shared/domain/edit-reminder.ts'
import { ReminderId, ReminderPatch, ReminderView } from '../../shared/domain/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PATCH /api/reminders/:id',
  summary: 'Change the time or the channels of a reminder (merge patch, RFC 7396)',
  auth: 'user',
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  body: ReminderPatch,
  output: ReminderView,
  refuses: ['reminder.not_found', 'reminder.version_conflict', 'reminder.not_open', 'reminder.of_task'],
  handle: ({ params, body, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideReminderEdit(state, body, write.now)),
})

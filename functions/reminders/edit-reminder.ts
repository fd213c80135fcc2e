import { z } from 'zod'
import { writeReminder } from '../../shared/app/reminders/write-reminder.ts'
import { decideReminderEdit } from '../../shared/domain/reminders/edit-reminder.ts'
import { ReminderId, ReminderPatch, ReminderView } from '../../shared/domain/reminders/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'PATCH /api/reminders/:id',
  summary: 'Change the time or the channels of a reminder (merge patch, RFC 7396)',
  auth: 'reminders:write',
  tool: { name: 'update_reminder' },
  uses: ['reminders', 'events'],
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  body: ReminderPatch,
  output: ReminderView,
  refuses: [
    'reminder.not_found',
    'reminder.version_conflict',
    'reminder.not_open',
    'reminder.of_task',
    'quota.exceeded',
  ],
  handle: ({ params, body, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideReminderEdit(state, body, write.now)),
})

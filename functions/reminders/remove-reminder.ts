import { z } from 'zod'
import { writeReminder } from '../../shared/app/reminders/write-reminder.ts'
import { decideRemove } from '../../shared/domain/reminders/edit-reminder.ts'
import { ReminderId } from '../../shared/domain/reminders/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'DELETE /api/reminders/:id',
  summary: 'Remove a reminder',
  auth: 'reminders:write',
  tool: { name: 'delete_reminder', description: 'Remove a reminder; the task stays. It cannot be restored.' },
  uses: ['reminders', 'events'],
  retrySafe: true,
  params: z.object({ id: ReminderId }),
  status: 204,
  refuses: ['reminder.not_found', 'reminder.version_conflict', 'reminder.of_task'],
  handle: ({ params, write, deps }) =>
    writeReminder(deps, write, params, (state) => decideRemove(state, write.now)),
})

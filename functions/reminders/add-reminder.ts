import { z } from 'zod'
import { addReminder } from '../../shared/app/reminders/add-reminder.ts'
import { ReminderInput, ReminderView } from '../../shared/domain/reminders/reminder.ts'
import { TaskId } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// A relative reminder moves with the due time. If-Match is about the task.
export default httpFunction({
  route: 'POST /api/tasks/:id/reminders',
  also: ['/api/:user_id/tasks/:id/reminders'],
  summary: 'Add a reminder to an open task: at a fixed time, or minutes before it is due',
  auth: 'reminders:write',
  tool: {
    name: 'set_reminder',
    description:
      'Add a reminder to an open task: remind_at (a time), or offset_minutes (before it is due). For a task that does not exist yet take add_task with remind_at.',
  },
  uses: ['reminders', 'events'],
  retrySafe: true,
  params: z.object({ id: TaskId }),
  body: ReminderInput,
  status: 201,
  output: ReminderView,
  refuses: ['reminder.not_open', 'reminder.too_many', 'quota.exceeded'],
  location: (reminder: ReminderView) => `/api/reminders/${reminder.id}`,
  handle: ({ params, body, write, deps }) => addReminder(deps, write, params.id, body),
})

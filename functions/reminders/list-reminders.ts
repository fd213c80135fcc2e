import { z } from 'zod'
import { taskNotFound } from '../../shared/app/tasks/write-task.ts'
import { reminderView, ReminderView } from '../../shared/domain/reminders/reminder.ts'
import { TaskId } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const ReminderList = z.object({ items: z.array(ReminderView) }).meta({ id: 'ReminderList' })

export default httpFunction({
  route: 'GET /api/tasks/:id/reminders',
  also: ['/api/:user_id/tasks/:id/reminders'],
  summary: 'The reminders of a task, the next one first',
  auth: 'reminders:read',
  tool: { name: 'list_task_reminders' },
  uses: ['tasks', 'reminders'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({}),
  output: ReminderList,
  handle: async ({ params, actor, deps }) => {
    const [found, reminders] = await Promise.all([
      deps.tasks.get(actor.userId, params.id),
      deps.reminders.list(actor.userId, params.id),
    ])
    if (!found) throw taskNotFound()
    return {
      body: { items: reminders.map(({ reminder, deliveries }) => reminderView(reminder, deliveries)) },
    }
  },
})

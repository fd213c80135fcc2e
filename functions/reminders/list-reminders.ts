import { z } from 'zod'
import { taskNotFound } from '../../shared/app/write-task.ts'
import { reminderView, ReminderView } from '../../shared/domain/reminder.ts'
import { TaskId } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const ReminderList = z.object({ items: z.array(ReminderView) }).meta({ id: 'ReminderList' })

export default httpFunction({
  route: 'GET /api/tasks/:id/reminders',
  summary: 'The reminders of a task, the next one first',
  auth: 'user',
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

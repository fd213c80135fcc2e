import { z } from 'zod'
import { taskNotFound } from '../../shared/app/tasks/write-task.ts'
import { ReminderSuggestion, suggestReminders } from '../../shared/domain/reminders/reminder-suggestions.ts'
import { TaskId } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const ReminderSuggestions = z
  .object({ items: z.array(ReminderSuggestion) })
  .meta({ id: 'ReminderSuggestions' })

export default httpFunction({
  route: 'GET /api/tasks/:id/reminder-suggestions',
  also: ['/api/:user_id/tasks/:id/reminder-suggestions'],
  summary: 'Suggested reminder times of a task, from its due time and priority',
  auth: 'reminders:read',
  uses: ['tasks'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({}),
  output: ReminderSuggestions,
  handle: async ({ params, actor, deps }) => {
    const found = await deps.tasks.get(actor.userId, params.id)
    if (!found) throw taskNotFound()
    return { body: { items: suggestReminders(found.task, deps.clock.now()) } }
  },
})

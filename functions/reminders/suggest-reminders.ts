import { z } from 'zod'
import { taskNotFound } from '../../shared/app/write-task.ts'
import { ReminderSuggestion, suggestReminders } from '../../shared/domain/reminder-suggestions.ts'
import { TaskId } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const ReminderSuggestions = z
  .object({ items: z.array(ReminderSuggestion) })
  .meta({ id: 'ReminderSuggestions' })

export default httpFunction({
  route: 'GET /api/tasks/:id/reminder-suggestions',
  summary: 'Times at which to be reminded of a task, from when it is due and its priority',
  auth: 'user',
  params: z.object({ id: TaskId }),
  query: z.strictObject({}),
  output: ReminderSuggestions,
  handle: async ({ params, actor, deps }) => {
    const found = await deps.tasks.get(actor.userId, params.id)
    if (!found) throw taskNotFound()
    return { body: { items: suggestReminders(found.task, deps.clock.now()) } }
  },
})

import { z } from 'zod'
import { taskNotFound } from '../../shared/app/tasks/write-task.ts'
import { occurrenceText } from '../../shared/domain/fields.ts'
import { slotText } from '../../shared/domain/recurrence/slots.ts'
import { TaskId, taskView, TaskView } from '../../shared/domain/tasks/task.ts'
import { upcomingOccurrences } from '../../shared/domain/recurrence/upcoming-occurrences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const UPCOMING = 5

const TaskDetail = TaskView.extend({
  upcoming_occurrences: z
    .array(occurrenceText)
    .describe('The next 5 occurrences after this one; see /occurrences for more'),
}).meta({ id: 'TaskDetail' })

export default httpFunction({
  route: 'GET /api/tasks/:id',
  also: ['/api/:user_id/tasks/:id'],
  summary: 'One task, with the instants or dates at which it will repeat',
  auth: 'tasks:read',
  uses: ['tasks'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({}),
  output: TaskDetail,
  handle: async ({ params, actor, deps }) => {
    const found = await deps.tasks.get(actor.userId, params.id)
    if (!found) throw taskNotFound()
    const { task, series } = found
    const upcoming =
      series && task.recurrenceRule !== null
        ? upcomingOccurrences(series, { now: deps.clock.now(), latest: task.occurrenceAt, limit: UPCOMING })
        : []
    return {
      body: { ...taskView(task), upcoming_occurrences: upcoming.map((slot) => slotText(slot, series!)) },
      variesWithTime: task.recurrenceRule !== null,
    }
  },
})

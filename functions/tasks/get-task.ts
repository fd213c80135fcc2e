import { z } from 'zod'
import { taskNotFound } from '../../shared/app/write-task.ts'
import { instantText } from '../../shared/domain/fields.ts'
import { TaskId, taskView, TaskView } from '../../shared/domain/task.ts'
import { upcomingOccurrences } from '../../shared/domain/upcoming-occurrences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const UPCOMING = 5

const TaskDetail = TaskView.extend({
  upcoming_occurrences: z
    .array(instantText)
    .describe('The next 5 instants after both now and this occurrence; see /occurrences for more'),
}).meta({ id: 'TaskDetail' })

export default httpFunction({
  route: 'GET /api/tasks/:id',
  summary: 'One task, with the instants at which it will repeat',
  auth: 'user',
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
      body: { ...taskView(task), upcoming_occurrences: upcoming.map((instant) => instant.toISOString()) },
      variesWithTime: task.recurrenceRule !== null,
    }
  },
})

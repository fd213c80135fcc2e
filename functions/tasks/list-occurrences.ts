import { z } from 'zod'
import { taskNotFound } from '../../shared/app/tasks/write-task.ts'
import { occurrenceText } from '../../shared/domain/fields.ts'
import { OCCURRENCE_STATES } from '../../shared/domain/recurrence/series.ts'
import { slotText } from '../../shared/domain/recurrence/slots.ts'
import { TaskId } from '../../shared/domain/tasks/task.ts'
import { upcomingOccurrences } from '../../shared/domain/recurrence/upcoming-occurrences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const Occurrences = z
  .object({
    upcoming: z
      .array(z.object({ occurrence_at: occurrenceText }))
      .describe(
        'Future occurrences after the open one, earliest first: instants, or dates in an all-day series. ' +
          'A task that repeats from completion has one: the next if it were completed now.',
      ),
    history: z
      .array(
        z.object({
          occurrence_at: occurrenceText,
          state: z.enum(OCCURRENCE_STATES),
          task_id: z.uuid().nullable(),
        }),
      )
      .describe('State of each occurrence so far, newest first, including the open one'),
  })
  .meta({ id: 'Occurrences' })

export default httpFunction({
  route: 'GET /api/tasks/:id/occurrences',
  also: ['/api/:user_id/tasks/:id/occurrences'],
  summary: 'Past and upcoming occurrences of a recurring task; both empty for other tasks',
  auth: 'tasks:read',
  uses: ['tasks'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({ limit: z.int().min(1).max(100).default(20) }),
  output: Occurrences,
  handle: async ({ params, query, actor, deps }) => {
    const found = await deps.tasks.get(actor.userId, params.id)
    if (!found) throw taskNotFound()
    const { series } = found
    if (!series) return { body: { upcoming: [], history: [] } }
    const history = await deps.tasks.occurrences(actor.userId, series.id, query.limit)
    const open = history.find((occurrence) => occurrence.state === 'open')
    const upcoming = upcomingOccurrences(series, {
      now: deps.clock.now(),
      latest: open?.occurrenceAt ?? null,
      limit: query.limit,
    })
    return {
      body: {
        upcoming: upcoming.map((slot) => ({ occurrence_at: slotText(slot, series) })),
        history: history.map(({ occurrenceAt, state, taskId }) => ({
          occurrence_at: slotText(occurrenceAt, series),
          state,
          task_id: taskId,
        })),
      },
    }
  },
})

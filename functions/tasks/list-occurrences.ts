import { z } from 'zod'
import { taskNotFound } from '../../shared/app/write-task.ts'
import { instantText } from '../../shared/domain/fields.ts'
import { OCCURRENCE_STATES } from '../../shared/domain/series.ts'
import { TaskId } from '../../shared/domain/task.ts'
import { upcomingOccurrences } from '../../shared/domain/upcoming-occurrences.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const Occurrences = z
  .object({
    upcoming: z
      .array(z.object({ occurrence_at: instantText }))
      .describe(
        'Instants after both now and the open occurrence, soonest first. A task that repeats from completion has ' +
          'one: what would follow if it were completed now.',
      ),
    history: z
      .array(
        z.object({
          occurrence_at: instantText,
          state: z.enum(OCCURRENCE_STATES),
          task_id: z.uuid().nullable(),
        }),
      )
      .describe('What became of each occurrence so far, newest first; the open one is among them'),
  })
  .meta({ id: 'Occurrences' })

export default httpFunction({
  route: 'GET /api/tasks/:id/occurrences',
  summary: 'The past and the coming occurrences of a recurring task; both empty for any other',
  auth: 'user',
  params: z.object({ id: TaskId }),
  query: z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
  output: Occurrences,
  handle: async ({ params, query, actor, deps }) => {
    const found = await deps.tasks.get(actor.userId, params.id)
    if (!found) throw taskNotFound()
    if (!found.series) return { body: { upcoming: [], history: [] } }
    const history = await deps.tasks.occurrences(actor.userId, found.series.id, query.limit)
    const open = history.find((occurrence) => occurrence.state === 'open')
    const upcoming = upcomingOccurrences(found.series, {
      ...{ now: deps.clock.now(), latest: open?.occurrenceAt ?? null, limit: query.limit },
    })
    return {
      body: {
        upcoming: upcoming.map((instant) => ({ occurrence_at: instant.toISOString() })),
        history: history.map(({ occurrenceAt, state, taskId }) => ({
          ...{ occurrence_at: occurrenceAt.toISOString(), state, task_id: taskId },
        })),
      },
    }
  },
})

import { createNextOccurrence } from '../../shared/app/recurrence/create-next-occurrence.ts'
import { OccurrenceSkipped, SeriesUpdated, TaskCompleted } from '../../shared/domain/events.ts'
import type { SeriesView } from '../../shared/domain/recurrence/series.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

export default topicFunction({
  on: [TaskCompleted, OccurrenceSkipped, SeriesUpdated],
  uses: ['tasks', 'events'],
  onlyCommits: true,
  handle: async ({ event, commit, trace, madeBy, deps }) => {
    const about = event.type === 'series.updated' ? waiting(event.data.series) : event.data.task
    const { user_id: userId, series_id: seriesId } = about
    if (seriesId !== null) await createNextOccurrence(deps, { userId, seriesId, trace, madeBy, commit })
  },
})

/** One without an open occurrence after an update has come back with the task that it is below. */
const waiting = ({ id, user_id, live_task_id }: SeriesView) => ({
  user_id,
  series_id: live_task_id === null ? id : null,
})

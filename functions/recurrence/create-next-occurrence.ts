import { OccurrenceSkipped, TaskCompleted } from '../../shared/domain/events.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

export default topicFunction({
  consumer: 'create-next-occurrence',
  on: [TaskCompleted, OccurrenceSkipped],
  handle: async ({ event, mark, trace, deps }) => {
    const { task } = event.data
    if (task.series_id === null) return
    await deps.nextOccurrences.create({ userId: task.user_id, seriesId: task.series_id, trace, mark })
  },
})

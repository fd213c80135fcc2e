import { addDefaultReminder } from '../../shared/app/reminders/add-default-reminder.ts'
import {
  OccurrenceGenerated,
  TaskCreated,
  TaskReopened,
  TaskRestored,
  TaskUpdated,
} from '../../shared/domain/events.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'

// On everything that gives an open task a due time, or opens one that has it.
export default topicFunction({
  on: [TaskCreated, TaskUpdated, TaskReopened, TaskRestored, OccurrenceGenerated],
  uses: ['reminders', 'events'],
  onlyCommits: true,
  handle: async ({ event, commit, trace, madeBy, deps }) => {
    const { id: taskId, user_id: userId, due_at: dueText, is_completed, deleted_at } = event.data.task
    if (dueText === null || is_completed || deleted_at !== null) return
    if (event.type === 'task.updated' && event.data.changes['due_at'] === undefined) return
    const given = { dueAt: new Date(dueText), at: new Date(event.time) }
    if (given.dueAt <= given.at) return
    await addDefaultReminder(deps, { userId, taskId, given, trace, madeBy, commit })
  },
})

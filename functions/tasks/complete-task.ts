import { z } from 'zod'
import { completeTask, SubtasksOfCompleted } from '../../shared/app/tasks/close-task.ts'
import { TaskId, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Answers as soon as the task is closed. The next occurrence of a recurring task is made by
// create-next-occurrence, which listens to task.completed.
export default httpFunction({
  route: 'POST /api/tasks/:id/complete',
  also: ['/api/:user_id/tasks/:id/complete'],
  summary: 'Complete a task and its open subtasks; a recurring one gets its next occurrence moments later',
  auth: 'tasks:write',
  tool: {
    description:
      'Complete a task and its open subtasks. A recurring one gets its next occurrence, with another id, a moment later. Completing a completed task changes nothing.',
  },
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  params: z.object({ id: TaskId }),
  query: z.strictObject({ subtasks: SubtasksOfCompleted }),
  output: TaskView,
  handle: ({ params, query, write, deps }) => completeTask(deps, write, { ...params, ...query }),
})

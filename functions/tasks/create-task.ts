import { createTask } from '../../shared/app/tasks/create-task.ts'
import { TaskInput, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Answers as soon as the task is stored; its task.created event is published right after.
export default httpFunction({
  route: 'POST /api/tasks',
  also: ['/api/:user_id/tasks'],
  summary: 'Create a task, one-off or recurring',
  auth: 'tasks:write',
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  body: TaskInput,
  status: 201,
  output: TaskView,
  location: (task: TaskView) => `/api/tasks/${task.id}`,
  handle: ({ body, write, deps }) => createTask(deps, write, body),
})

import { createTask } from '../../shared/app/create-task.ts'
import { TaskInput, TaskView } from '../../shared/domain/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Answers as soon as the task is stored; its task.created event is published right after.
export default httpFunction({
  route: 'POST /api/tasks',
  summary: 'Create a task, one-off or recurring',
  auth: 'user',
  retrySafe: true,
  body: TaskInput,
  status: 201,
  output: TaskView,
  location: (task: TaskView) => `/api/tasks/${task.id}`,
  handle: ({ body, write, deps }) => createTask(deps, write, body),
})

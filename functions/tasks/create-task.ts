import { createTask } from '../../shared/app/tasks/create-task.ts'
import { TaskInput, TaskView } from '../../shared/domain/tasks/task.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// Answers as soon as the task is stored; its task.created event is published right after.
export default httpFunction({
  route: 'POST /api/tasks',
  also: ['/api/:user_id/tasks'],
  summary: 'Create a task, one-off or recurring',
  auth: 'tasks:write',
  tool: {
    name: 'add_task',
    description:
      'Add a task. Recurring: recurrence_rule with due_at or due_date as the first occurrence. A time of day goes into due_at, a whole day into due_date, never both. remind_at adds a reminder at once.',
  },
  uses: ['tasks', 'events'],
  retrySafe: true,
  refuses: ['quota.exceeded'],
  body: TaskInput,
  status: 201,
  output: TaskView,
  location: (task: TaskView) => `/api/tasks/${task.id}`,
  handle: ({ body, write, deps }) => createTask(deps, write, body),
})

import { decideAdd } from '../../domain/reminders/edit-reminder.ts'
import { reminderView, type ReminderInput, type ReminderView } from '../../domain/reminders/reminder.ts'
import type { Writing } from '../commit-decision.ts'
import { guardedWrite } from '../guarded-write.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { taskTarget } from '../tasks/write-task.ts'

/** Adds a reminder to a task. `If-Match` is about the task. */
export function addReminder(
  deps: Writing,
  write: WriteContext,
  taskId: string,
  input: ReminderInput,
): Promise<Answer<ReminderView>> {
  const context = { id: deps.ids.uuid(), now: write.now }
  return guardedWrite(deps, write, taskTarget(write, { id: taskId }), (found) => {
    const decision = decideAdd(found, input, context)
    return { decision, body: reminderView(decision.reminder) }
  })
}

import { decideAdd } from '../domain/edit-reminder.ts'
import { DomainError } from '../domain/errors.ts'
import { reminderView, type ReminderInput, type ReminderView } from '../domain/reminder.ts'
import { commitWrite, replay, withoutConflict } from './commit-decision.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'
import { taskNotFound } from './write-task.ts'

/** Adds a reminder to a task. `If-Match` is about the task. */
export function addReminder(
  deps: Deps,
  write: WriteContext,
  taskId: string,
  input: ReminderInput,
): Promise<Answer<ReminderView>> {
  const { userId } = write.actor
  const context = { id: deps.ids.uuid(), now: write.now }
  return withoutConflict(deps, userId, async (store) => {
    const key = write.idempotency?.key ?? null
    const { task, reminders, stored } = await store.loadTask(userId, taskId, key, write.now)
    const earlier = replay<ReminderView>(stored, write)
    if (earlier) return earlier
    if (!task || task.deletedAt) throw taskNotFound()
    if (write.ifMatch && !write.ifMatch.includes(task.version)) {
      throw new DomainError('task.version_conflict', `The task has version ${task.version} by now.`)
    }
    const decision = decideAdd({ task, reminders }, input, context)
    return commitWrite(deps, store, write, { decision, body: reminderView(decision.reminder) })
  })
}

import type { ReminderDecision } from '../domain/edit-reminder.ts'
import { DomainError } from '../domain/errors.ts'
import { reminderView, type Reminder, type ReminderView } from '../domain/reminder.ts'
import type { Task } from '../domain/task.ts'
import { commitWrite, replay, withoutConflict } from './commit-decision.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'

/** Loads one reminder with its task, checks the preconditions, decides, commits. 404 for what is not the user's. */
export function writeReminder(
  deps: Deps,
  write: WriteContext,
  { id }: { id: string },
  decide: (state: { reminder: Reminder; task: Task }) => ReminderDecision,
): Promise<Answer<ReminderView>> {
  const { userId } = write.actor
  return withoutConflict(deps, userId, async (store) => {
    const key = write.idempotency?.key ?? null
    const { reminder, task, deliveries, stored } = await store.loadReminder(userId, id, key, write.now)
    const earlier = replay<ReminderView>(stored, write)
    if (earlier) return earlier
    if (!reminder || !task) throw reminderNotFound()
    if (write.ifMatch && !write.ifMatch.includes(reminder.version)) {
      throw new DomainError(
        'reminder.version_conflict',
        `The reminder has version ${reminder.version} by now.`,
      )
    }
    const decision = decide({ reminder, task })
    return commitWrite(deps, store, write, { decision, body: reminderView(decision.reminder, deliveries) })
  })
}

export const reminderNotFound = (): DomainError =>
  new DomainError('reminder.not_found', 'There is no such reminder.')

import { DomainError } from '../../domain/errors.ts'
import {
  aboutText,
  quickAddedTask,
  type QuickAddedTask,
  type QuickAddRequest,
  type QuickAddResult,
} from '../../domain/quick-add/quick-add-task.ts'
import { reminderView } from '../../domain/reminders/reminder.ts'
import { taskView } from '../../domain/tasks/task.ts'
import { replayStored, type Writing } from '../commit-decision.ts'
import type { Answer, WriteContext } from '../ports.ts'
import {
  createRemindedTask,
  decideRemindedTask,
  refusalOr,
  type RemindedTaskDecision,
} from './create-task.ts'

/** Creates the task that a line of text asks for; a dry run only says which one that would be. */
export async function quickAddTask(
  deps: Writing,
  write: WriteContext,
  { request, isDryRun }: { request: QuickAddRequest; isDryRun: boolean },
): Promise<Answer<QuickAddResult>> {
  const { actor, now } = write
  const timeZone = request.time_zone ?? actor.timeZone
  const read = refusalOr(() => quickAddedTask(request, { now, timeZone }))
  if (read instanceof DomainError) {
    // What was read then may be refused by now.
    const earlier = await replayStored<QuickAddResult>(deps.changes, write)
    if (earlier) return earlier
    throw read
  }
  try {
    if (isDryRun) return { body: resultOf(decideRemindedTask(deps, write, read), read) }
    return await createRemindedTask(deps, write, { ...read, answer: (made) => resultOf(made, read) })
  } catch (error) {
    throw aboutText(error)
  }
}

const resultOf = (
  { task, newReminders }: RemindedTaskDecision,
  { spans }: QuickAddedTask,
): QuickAddResult => ({
  task: taskView(task),
  reminders: newReminders.map((reminder) => reminderView(reminder)),
  spans,
})

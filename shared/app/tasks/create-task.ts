import type { TaskDecision } from '../../domain/decision.ts'
import { DomainError } from '../../domain/errors.ts'
import { decideNewTask } from '../../domain/tasks/new-task.ts'
import { decideFirst } from '../../domain/reminders/edit-reminder.ts'
import type { ReminderInput } from '../../domain/reminders/reminder.ts'
import { remindersFollowing } from '../../domain/reminders/task-reminders.ts'
import { MAX_SUBTASKS } from '../../domain/tasks/subtasks.ts'
import { FLOATING, taskView, type TaskInput, type TaskView } from '../../domain/tasks/task.ts'
import { checkParent } from './check-parent.ts'
import { presentZone } from './present-zone.ts'
import { commitWrite, replayStored, type Writing } from '../commit-decision.ts'
import type { Answer, WriteContext } from '../ports.ts'
import { retryExclusively } from '../retry-on-conflict.ts'

/** Near the limit, a subtask is counted while nobody else of the user writes. */
const FEW = 30

interface WantedTask {
  input: TaskInput
  /** Beside the one of its `remind_at`. */
  reminders: readonly ReminderInput[]
}

/** Creates a task, with its series when it recurs, in one round trip (some more with a parent). */
export const createTask = (deps: Writing, write: WriteContext, input: TaskInput): Promise<Answer<TaskView>> =>
  createRemindedTask(deps, write, { input, reminders: [], answer: ({ task }) => taskView(task) })

/** The task with its reminders, in one commit. */
export async function createRemindedTask<Body>(
  deps: Writing,
  write: WriteContext,
  wanted: WantedTask & { answer: (made: RemindedTaskDecision) => Body },
): Promise<Answer<Body>> {
  const { actor } = write
  const { userId } = actor
  const { input } = wanted
  const { parent_id: parentId } = input
  const timeZone = input.time_zone === FLOATING ? await presentZone(deps.changes, actor) : actor.timeZone
  const decide = () => decideRemindedTask(deps, write, wanted, timeZone)
  return retryExclusively(deps, userId, async (store) => {
    const decision = refusalOr(decide)
    // The answer to a retry must not depend on what has become of the parent since, nor on what time it is.
    if (parentId !== null || decision instanceof DomainError) {
      const earlier = await replayStored<Body>(store, write)
      if (earlier) return earlier
    }
    if (decision instanceof DomainError) throw decision
    const body = wanted.answer(decision)
    if (parentId === null) return commitWrite(deps, store, write, { decision, body })
    const branch = { id: null, height: 0, size: 1, recurs: input.recurrence_rule !== null }
    const { line, size } = await checkParent(store, userId, branch, parentId)
    // Of several that ask for the last places, none may see them free for itself alone.
    if (store === deps.changes && size > MAX_SUBTASKS - FEW) return 'conflict'
    const unchangedTasks = line.slice(0, 1)
    return commitWrite(deps, store, write, { decision: { ...decision, unchangedTasks }, body })
  })
}

export type RemindedTaskDecision = TaskDecision & Required<Pick<TaskDecision, 'newReminders'>>

export function decideRemindedTask(
  { ids }: Pick<Writing, 'ids'>,
  { actor: { userId, timeZone: ownZone }, now }: WriteContext,
  { input, reminders }: WantedTask,
  timeZone = ownZone,
): RemindedTaskDecision {
  const newId = () => ids.uuid()
  const made = decideNewTask(input, { id: newId(), seriesId: newId(), userId, timeZone, now })
  const following = remindersFollowing([{ task: made.task, reminders: [] }], { now, newId })
  const wanted = decideFirst(made.task, reminders, { now, newId })
  return {
    ...made,
    ...following,
    newReminders: [...following.newReminders, ...wanted.newReminders],
    facts: [...made.facts, ...following.facts, ...wanted.facts],
  }
}

export function refusalOr<T>(decide: () => T): T | DomainError {
  try {
    return decide()
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
}

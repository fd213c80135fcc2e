import { DomainError } from '../../domain/errors.ts'
import { decideNewTask } from '../../domain/tasks/new-task.ts'
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

/** Creates a task, with its series when it recurs, in one round trip (some more with a parent). */
export async function createTask(
  deps: Writing,
  write: WriteContext,
  input: TaskInput,
): Promise<Answer<TaskView>> {
  const { actor, now } = write
  const { userId } = actor
  const { parent_id: parentId } = input
  const timeZone = input.time_zone === FLOATING ? await presentZone(deps.changes, actor) : actor.timeZone
  const decide = () => {
    const context = { id: deps.ids.uuid(), seriesId: deps.ids.uuid(), userId, timeZone, now }
    const made = decideNewTask(input, context)
    const following = remindersFollowing([{ task: made.task, reminders: [] }], {
      now,
      newId: () => deps.ids.uuid(),
    })
    return { ...made, ...following, facts: [...made.facts, ...following.facts] }
  }
  return retryExclusively(deps, userId, async (store) => {
    const decision = refusalOr(decide)
    // The answer to a retry must not depend on what has become of the parent since, nor on what time it is.
    if (parentId !== null || decision instanceof DomainError) {
      const earlier = await replayStored<TaskView>(store, write)
      if (earlier) return earlier
    }
    if (decision instanceof DomainError) throw decision
    const body = taskView(decision.task)
    if (parentId === null) return commitWrite(deps, store, write, { decision, body })
    const branch = { id: null, height: 0, size: 1, recurs: input.recurrence_rule !== null }
    const { line, size } = await checkParent(store, userId, branch, parentId)
    // Of several that ask for the last places, none may see them free for itself alone.
    if (store === deps.changes && size > MAX_SUBTASKS - FEW) return 'conflict'
    const unchangedTasks = line.slice(0, 1)
    return commitWrite(deps, store, write, { decision: { ...decision, unchangedTasks }, body })
  })
}

function refusalOr<T>(decide: () => T): T | DomainError {
  try {
    return decide()
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
}

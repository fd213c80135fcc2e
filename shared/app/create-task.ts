import { decideNewTask } from '../domain/new-task.ts'
import { remindersFollowing } from '../domain/task-reminders.ts'
import { taskView, type TaskInput, type TaskView } from '../domain/task.ts'
import { checkParent } from './check-parent.ts'
import { commitWrite, replayStored, withoutConflict } from './commit-decision.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'

/** Creates a task, with its series when it recurs, in one round trip (some more with a parent). */
export function createTask(deps: Deps, write: WriteContext, input: TaskInput): Promise<Answer<TaskView>> {
  const { userId, timeZone } = write.actor
  const made = decideNewTask(input, {
    ...{ id: deps.ids.uuid(), seriesId: deps.ids.uuid(), userId, timeZone, now: write.now },
  })
  const following = remindersFollowing([{ task: made.task, reminders: [] }], {
    ...{ now: write.now, newId: () => deps.ids.uuid() },
  })
  const decision = { ...made, ...following, facts: [...made.facts, ...following.facts] }
  return withoutConflict(deps, userId, async (store) => {
    if (input.parent_id) {
      // The answer to a retry must not depend on what has become of the parent since.
      const earlier = await replayStored<TaskView>(store, write)
      if (earlier) return earlier
      await checkParent(store, userId, null, input.parent_id)
    }
    return commitWrite(deps, store, write, { decision, body: taskView(decision.task) })
  })
}

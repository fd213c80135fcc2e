import { decideNewTask } from '../domain/new-task.ts'
import { taskView, type TaskInput, type TaskView } from '../domain/task.ts'
import { checkParent } from './check-parent.ts'
import { commitWrite, withoutConflict } from './commit-decision.ts'
import type { Answer, Deps, WriteContext } from './ports.ts'

/** Creates a task, with its series when it recurs, in one round trip (two with a parent). */
export function createTask(deps: Deps, write: WriteContext, input: TaskInput): Promise<Answer<TaskView>> {
  const { userId, timeZone } = write.actor
  const decision = decideNewTask(input, {
    ...{ id: deps.ids.uuid(), seriesId: deps.ids.uuid(), userId, timeZone, now: write.now },
  })
  return withoutConflict(deps, userId, async (store) => {
    await checkParent(store, userId, null, input.parent_id)
    return commitWrite(deps, store, write, decision, taskView(decision.task))
  })
}

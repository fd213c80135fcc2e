import type { TaskDecision } from '../domain/decision.ts'
import { DomainError } from '../domain/errors.ts'
import type { Series } from '../domain/series.ts'
import { taskView, type Task, type TaskView } from '../domain/task.ts'
import { commitWrite, replay, withoutConflict } from './commit-decision.ts'
import { withReminders } from './follow-reminders.ts'
import type { Answer, ChangeStore, Deps, WriteContext } from './ports.ts'

export interface Loaded {
  task: Task
  series: Series | null
  /** For what else the decision needs to know; reads see the same attempt. */
  store: ChangeStore
}

interface Target {
  id: string
  includeDeleted?: boolean
  /** Holds back the user's other writes from the beginning; see withoutConflict. */
  isExclusive?: boolean
}

/** Loads one task, checks the preconditions, decides, commits. 404 for what does not exist or is not the user's. */
export function writeTask(
  deps: Deps,
  write: WriteContext,
  target: Target,
  decide: (loaded: Loaded) => TaskDecision | Promise<TaskDecision>,
): Promise<Answer<TaskView>> {
  const { userId } = write.actor
  const attempt = async (store: ChangeStore) => {
    const { task, series, reminders, stored } = await store.loadTask(
      userId,
      target.id,
      write.idempotency?.key ?? null,
      write.now,
    )
    const earlier = replay<TaskView>(stored, write)
    if (earlier) return earlier
    if (!task || (task.deletedAt && !target.includeDeleted)) throw taskNotFound()
    if (write.ifMatch && !write.ifMatch.includes(task.version)) {
      throw new DomainError('task.version_conflict', `The task has version ${task.version} by now.`)
    }
    const decision = await withReminders(deps, store, await decide({ task, series, store }), {
      ...{ known: { task, reminders }, userId, now: write.now },
    })
    return commitWrite(deps, store, write, { decision, body: taskView(decision.task) })
  }
  return withoutConflict(deps, userId, attempt, target)
}

export const taskNotFound = (): DomainError => new DomainError('task.not_found', 'There is no such task.')

import type { TaskDecision } from '../../domain/decision.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Series } from '../../domain/recurrence/series.ts'
import type { RemindedTask } from '../../domain/reminders/task-reminders.ts'
import { taskView, type Task, type TaskView } from '../../domain/tasks/task.ts'
import type { Writing } from '../commit-decision.ts'
import { guardedWrite, type WriteTarget } from '../guarded-write.ts'
import { withReminders } from '../reminders/follow-reminders.ts'
import type { Answer, ChangeStore, WriteContext } from '../ports.ts'

export interface Loaded {
  task: Task
  series: Series | null
  /** Whether there are tasks below it, deleted ones included. */
  hasSubtasks: boolean
  /** For what else the decision needs to know; reads see the same attempt. */
  store: ChangeStore
}

interface Target {
  id: string
  includeDeleted?: boolean
  /** Holds back the user's other writes from the beginning; see retryExclusively. */
  isExclusive?: boolean
}

/** Loads one task, checks the preconditions, decides, commits. 404 for what does not exist or is not the user's. */
export function writeTask(
  deps: Writing,
  write: WriteContext,
  target: Target,
  decide: (loaded: Loaded) => TaskDecision | Promise<TaskDecision>,
): Promise<Answer<TaskView>> {
  return writeTaskWith(deps, write, target, async (loaded) => {
    const made = await decide(loaded)
    return { made, bodyOf: taskView }
  })
}

/** The same, with an answer of its own. */
export function writeTaskWith<Body>(
  deps: Writing,
  write: WriteContext,
  target: Target,
  decide: (loaded: Loaded) => Promise<{ made: TaskDecision; bodyOf: (task: Task) => Body }>,
): Promise<Answer<Body>> {
  return guardedWrite(
    deps,
    write,
    taskTarget(write, target),
    async ({ series, hasSubtasks, ...known }, store) => {
      const { made, bodyOf } = await decide({ task: known.task, series, hasSubtasks, store })
      const context = { known, userId: write.actor.userId, now: write.now }
      const decision = await withReminders(deps, store, made, context)
      return { decision, body: bodyOf(decision.task) }
    },
  )
}

export const taskTarget = (
  { actor, now }: WriteContext,
  { id, includeDeleted = false, isExclusive = false }: Target,
): WriteTarget<RemindedTask & { series: Series | null; hasSubtasks: boolean }> => ({
  async load(store, key) {
    const { task, stored, ...rest } = await store.loadTask(actor.userId, id, key, now)
    const isThere = task !== null && (task.deletedAt === null || includeDeleted)
    return { stored, found: isThere ? { task, ...rest } : taskNotFound() }
  },
  versionOf: ({ task }) => task.version,
  versionConflict: (version) =>
    new DomainError('task.version_conflict', `The task is at version ${version}.`),
  isExclusive,
})

export const taskNotFound = (): DomainError => new DomainError('task.not_found', 'There is no such task.')

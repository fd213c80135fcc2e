import type { MadeBy, TraceContext } from '../../domain/actor.ts'
import { lastStep } from '../../domain/recurrence/last-occurrence.ts'
import type { Series } from '../../domain/recurrence/series.ts'
import { decideNextOccurrence, type SeriesState } from '../../domain/recurrence/next-occurrence.ts'
import type { RemindedTask } from '../../domain/reminders/task-reminders.ts'
import { branchOf, MAX_TAKEN_ALONG, objectionTo, type Above } from '../../domain/tasks/subtasks.ts'
import type { Task } from '../../domain/tasks/task.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import type { Change, ChangeStore, CommitResult, Deps } from '../ports.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'
import { loadPlace } from '../tasks/check-parent.ts'
import { recentOccurrences } from './recent-occurrences.ts'

export interface NextOccurrenceRequest {
  userId: string
  seriesId: string
  trace: TraceContext | null
  madeBy: MadeBy
  commit: (change: Change) => Promise<CommitResult>
}

const ATTEMPTS = 5

export type Making = Pick<Deps, 'changes' | 'clock' | 'ids' | 'publishing'>

/**
 * Gives a series its next occurrence if it has none; the decision is made from the rows, so it does not matter how
 * often, how late or in which order this is asked. Resolves to whether this call made one (or ended the series).
 */
export async function createNextOccurrence(deps: Making, request: NextOccurrenceRequest): Promise<boolean> {
  const { userId, trace, madeBy } = request
  const now = deps.clock.now()
  const origin = systemOrigin('recurrence', { userId, now, trace, madeBy })
  let seen: string | undefined
  let wanted: Date[] = []
  const isMade = await retryOnConflict(ATTEMPTS, async () => {
    const state = await loadState(deps, request, now)
    const found = [state?.series, ...(state?.unchanged ?? [])].map((row) => row?.version).join(' ')
    if (found !== seen) wanted = []
    seen = found
    const newId = () => deps.ids.uuid()
    const context = { taskId: newId(), newId, now }
    const decision = state && decideNextOccurrence({ ...state, refused: wanted }, context)
    if (!decision) return false
    const unchangedTasks = state.unchanged.map(({ id, version }) => ({ id, version }))
    const { outcome } = await request.commit(toChange(deps, origin, { ...decision, unchangedTasks }))
    if (outcome === 'applied') deps.publishing.wake()
    if (outcome !== 'conflict') return outcome === 'applied'
    // Where all is as it was after a conflict, an instant was refused: it is taken, go past it.
    wanted.push(...(decision.newOccurrences ?? []).map(({ occurrenceAt }) => occurrenceAt))
    return outcome
  })
  if (isMade !== 'conflict') return isMade
  throw new Error('the series kept changing; the message will be delivered again')
}

async function loadState(
  { changes }: Making,
  { userId, seriesId }: NextOccurrenceRequest,
  now: Date,
): Promise<(SeriesState & { unchanged: { id: string; version: number }[] }) | null> {
  const waiting = await changes.loadWaiting(userId, seriesId)
  if (!waiting) return null
  const { series } = waiting
  const recent = waiting.recent ?? (await recentOccurrences(changes, series))
  const lastId = lastStep(series, recent)?.taskId
  const isLoaded = waiting.task?.id === lastId
  const found = isLoaded || !lastId ? waiting : await changes.loadTask(userId, lastId, null, now)
  const subtasks = found.task && found.hasSubtasks ? await remindedBelow(changes, found.task) : []
  const last = lastId && found.task ? { task: found.task, reminders: found.reminders, subtasks } : null
  const { parent, ...state } = await placed(changes, series, last)
  // What lies below the last is read after it, and another set when it has been deleted or restored in between.
  const unchanged = [...(parent ? [parent] : []), ...(last && found?.hasSubtasks ? [last.task] : [])]
  return { ...state, recent, last, unchanged }
}

/** What lay below an occurrence when it was closed; what was deleted with it, when it was skipped, included. */
async function remindedBelow(changes: ChangeStore, { userId, id, deletedAt }: Task): Promise<RemindedTask[]> {
  const tasks = await changes.loadSubtasks(userId, id, { deletedAt, limit: MAX_TAKEN_ALONG })
  const reminders = await changes.loadReminders(
    userId,
    tasks.map((task) => task.id),
  )
  return tasks.map((task) => ({ task, reminders: reminders.filter(({ taskId }) => taskId === task.id) }))
}

/** The series with its parent, or without one when that has been deleted or has no place for the next occurrence. */
async function placed(
  changes: ChangeStore,
  series: Series,
  last: SeriesState['last'],
): Promise<{ series: Series; parent: Above | null }> {
  const { parentId } = series.template
  if (parentId === null) return { series, parent: null }
  const place = await loadPlace(changes, series.userId, parentId)
  const { height = 0, size = 1 } = last ? branchOf(last.task, last.subtasks) : {}
  const objection = objectionTo(place, { id: null, height, size, recurs: true })
  if (objection === null) return { series, parent: place.line[0]! }
  return { series: { ...series, template: { ...series.template, parentId: null } }, parent: null }
}

import { revise, seriesFact, taskFact, type TaskDecision } from '../decision.ts'
import { DomainError, invalidField } from '../errors.ts'
import { SeriesEnded, SeriesUpdated, TaskDeleted } from '../events.ts'
import type { Series } from '../recurrence/series.ts'
import {
  decideComplete,
  decideDelete,
  decideReopen,
  decideRestore,
  decideSkip,
  type Undo,
} from './close-task.ts'
import type { Task } from './task.ts'

/** Levels of subtasks below a task that is below none. */
const MAX_LEVELS = 5
/**
 * Tasks below one that is below none. A request that closes such a task writes an event for each, and one for each of
 * their reminders. Closed occurrences of a subtask that repeats by itself are history and do not count,
 * nor does what lies below them.
 */
export const MAX_SUBTASKS = 100
/** Tasks that one request deletes or restores along with another, that history included. */
export const MAX_TAKEN_ALONG = 1000

/**
 * What lies below a task: the tasks, parents before their children, and series there that wait for their next occurrence, or
 * did when they ended with it.
 */
export interface Below {
  subtasks: readonly Undo[]
  waiting: readonly Series[]
}

export const NOTHING_BELOW: Below = { subtasks: [], waiting: [] }

interface State {
  task: Task
  series: Series | null
}

/** Completes a task and what is open below it; a subtask that repeats by itself is over with its parent. */
export function decideCompleteWith({ task, series }: State, below: Below, now: Date): TaskDecision {
  const decision = decideComplete({ task, series }, now)
  if (decision.facts.length === 0) return decision
  const open = below.subtasks.filter((one) => one.task.completedAt === null)
  const parts = open.map((one) => ending(one, decideComplete(one, now)))
  return emptied(together(decision, [...parts, ...ended(below.waiting, now)]), 'open')
}

/** Deletes a task and all that lies below it, children before their parents. */
export function decideDeleteWith(state: State, below: Below, now: Date): TaskDecision {
  return takingAlong(decideDelete(state, now), below, now)
}

export function decideSkipWith(state: State, below: Below, now: Date): TaskDecision {
  return takingAlong(decideSkip(state, now), below, now)
}

function takingAlong(decision: TaskDecision, { subtasks, waiting }: Below, now: Date): TaskDecision {
  const parts = subtasks.toReversed().map((one) => decideDelete(one, now))
  const { facts, ...whole } = together(decision, [...parts, ...ended(waiting, now)])
  const own = decision.facts.length
  return emptied({ ...whole, facts: [...facts.slice(own), ...facts.slice(0, own)] }, 'present')
}

export interface Followers {
  successor: Task | null
  copies: readonly Task[]
}

/** Opens a completed task again, and below it what was completed with it; copies go with the successor they belong to. */
export function decideReopenWith(
  undo: Undo,
  { successor, copies }: Followers,
  below: Below,
  now: Date,
): TaskDecision {
  const decision = decideReopen(undo, successor, now)
  if (decision.facts.length === 0) return decision
  if (isTakenBack(decision) && copies.some((copy) => isTouched(copy, successor!))) {
    throw new DomainError(
      'task.successor_exists',
      'Subtasks of the next occurrence have been changed already; edit that one.',
    )
  }
  const parts = below.subtasks.map((one) =>
    decideReopen({ ...one, isLast: one.isLast && one.series?.liveTaskId === null }, null, now),
  )
  const all = [...parts, ...revived(below, below.subtasks, now)]
  return withoutCopies(together(decision, all), { successor, copies }, now)
}

/** Brings a deleted task back with what was deleted with it. Where its parent has no place for it, it is below none. */
export function decideRestoreWith(
  undo: Undo,
  { successor, copies }: Followers,
  { below, place, now }: { below: Below; place: Place | null; now: Date },
): TaskDecision {
  const { task, isLast } = undo
  const { subtasks } = below
  const hasPlace =
    task.parentId === null || (place !== null && objectionTo(place, branchOf(task, subtasks)) === null)
  const restored = hasPlace ? task : { ...task, parentId: null }
  // A successor whose subtasks somebody has changed stays, as one that was changed itself.
  const makesWay = !copies.some((copy) => isTouched(copy, successor!))
  const decision = decideRestore({ ...undo, task: restored, isLast: isLast && makesWay }, successor, now)
  if (decision.facts.length === 0) return decision
  const parts = subtasks.map((one) => decideRestore(one, null, now))
  const open = subtasks.filter((one) => one.task.completedAt === null)
  const all = [...parts, ...revived(below, open, now)]
  const whole = withoutCopies(together(decision, all), { successor, copies }, now)
  const [parent] = place?.line ?? []
  return hasPlace && parent
    ? { ...whole, unchangedTasks: [{ id: parent.id, version: parent.version }] }
    : whole
}

const isTakenBack = ({ droppedOccurrences = [] }: TaskDecision): boolean => droppedOccurrences.length > 0

const isTouched = (copy: Task, successor: Task): boolean =>
  copy.version > 1 || copy.createdAt.getTime() !== successor.createdAt.getTime()

function withoutCopies(decision: TaskDecision, { successor, copies }: Followers, now: Date): TaskDecision {
  if (!isTakenBack(decision)) return decision
  const parts = copies.toReversed().map((before) => {
    const after = revise(before, now, { deletedAt: now })
    return { task: after, changedTasks: [{ before, after }], facts: [taskFact(TaskDeleted, after)] }
  })
  return emptied(together(decision, parts), 'present', [successor!.id, ...copies.map(({ id }) => id)])
}

/** A subtask that repeats by itself does so no longer. */
function ending({ task, series }: State, decision: TaskDecision): TaskDecision {
  if (!decision.series || series?.liveTaskId !== task.id) return decision
  const over: Series = { ...decision.series, state: 'ended' }
  return { ...decision, series: over, facts: [...decision.facts, seriesFact(SeriesEnded, over)] }
}

const ended = (waiting: readonly Series[], now: Date) =>
  waiting.map((before) => {
    const series = revise(before, now, { state: 'ended' })
    return { series, facts: [seriesFact(SeriesEnded, series)] }
  })

/** Series that waited go on waiting; one whose occurrence is opened goes on with that. */
const revived = ({ waiting }: Below, opened: readonly Undo[], now: Date) =>
  waiting
    .filter(({ id }) => !opened.some(({ series }) => series?.id === id))
    .map((before) => {
      const series = revise(before, now, { state: 'active' })
      return { series, facts: [seriesFact(SeriesUpdated, series)] }
    })

type Part = Omit<TaskDecision, 'task'>

function together(decision: TaskDecision, parts: readonly Part[]): TaskDecision {
  return {
    ...decision,
    changedTasks: [decision, ...parts].flatMap(({ changedTasks = [] }) => changedTasks),
    changedOccurrences: [decision, ...parts].flatMap(({ changedOccurrences = [] }) => changedOccurrences),
    seriesBelow: [...(decision.seriesBelow ?? []), ...parts.flatMap(({ series }) => series ?? [])],
    facts: [decision, ...parts].flatMap(({ facts }) => facts),
  }
}

/** Refused when by then another task lies below one of these. */
function emptied(
  decision: TaskDecision,
  of: 'open' | 'present',
  taskIds = (decision.changedTasks ?? []).map(({ after }) => after.id),
): TaskDecision {
  return { ...decision, emptied: { taskIds, of } }
}

export interface Place {
  /** The parent and those above it, nearest first; empty when there is no such task. */
  line: readonly Above[]
  /** What counts as subtasks below the last of them. */
  size: number
}

export interface Above {
  id: string
  version: number
  isRecurring: boolean
}

/** A task with what lies below it, as far as a place for it goes. */
export interface Branch {
  /** Null for a task that is still to be made. */
  id: string | null
  height: number
  size: number
  /** Whether it, or one below it, repeats by itself. */
  recurs: boolean
}

/** A closed occurrence of a subtask that repeats by itself: it comes neither again nor into the count. */
export const isHistory = ({ recurrenceRule, completedAt }: Task): boolean =>
  recurrenceRule !== null && completedAt !== null

/** `subtasks` has parents before their children. */
export function branchOf(task: Task, subtasks: readonly { task: Task }[]): Branch {
  const levels = new Map([[task.id, 0]])
  const counted = isHistory(task) ? [] : [task]
  for (const { task: one } of subtasks) {
    const above = levels.get(one.parentId ?? '')
    if (above === undefined || isHistory(one)) continue
    levels.set(one.id, above + 1)
    counted.push(one)
  }
  return {
    id: task.id,
    height: Math.max(...levels.values()),
    size: counted.length,
    recurs: counted.some(({ recurrenceRule }) => recurrenceRule !== null),
  }
}

/** Why a task cannot lie there, as the message of a field; null when it can. */
export function objectionTo({ line, size }: Place, branch: Branch): string | null {
  if (line.length === 0) return 'there is no such task'
  if (line.some(({ id }) => id === branch.id)) return 'a task cannot be below itself'
  if (line.length + branch.height > MAX_LEVELS) return `there are at most ${MAX_LEVELS} levels of subtasks`
  if (size + branch.size > MAX_SUBTASKS) return `a task has at most ${MAX_SUBTASKS} subtasks on all levels`
  if (branch.recurs && line.some(({ isRecurring }) => isRecurring)) return ONE_RULE
  return null
}

const ONE_RULE = 'what lies below a recurring task comes again with it and cannot repeat by itself'

/** A task whose subtasks repeat by themselves, or that comes again with a task above it, cannot become recurring. */
export function refuseNestedRule(line: readonly Above[], branch: Branch): void {
  if (branch.recurs || line.some(({ isRecurring }) => isRecurring))
    throw invalidField('recurrence_rule', ONE_RULE)
}

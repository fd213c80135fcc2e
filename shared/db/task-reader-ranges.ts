import type { TaskQuery } from '../app/task-query.ts'
import { PRIORITIES } from '../domain/task.ts'
import { fragment, joined, verbatim, type Fragment } from './fragment.ts'
import { dueRange, type ListOrder } from './task-reader-order.ts'
import { TASK_COLUMNS } from './task-rows.ts'

/** Matches of a filter are counted up to here; without a filter the user's counters know. */
export const COUNTED_MATCHES = 1000

export interface ListRequest {
  userId: string
  query: TaskQuery
  order: ListOrder
  /** So many tasks of each part are enough for the page. */
  reach: number
  /** So much is skipped before the page that only its ids are read first, where an index holds them with the order. */
  isFar: boolean
}

/** What is remembered of a list for the next time. */
export interface KnownList {
  /** Of the user's last event. The counts are as good as that is the last one. */
  sequence: number
  /** How many tasks matched, for each of {@link Reading.matches}. */
  counts: number[]
  /** What became of walking open and completed tasks together the last time that was tried; true of that time only. */
  mergedWalk: 'enough' | 'in vain' | 'not tried'
}

/** How a list is read. */
export interface Reading {
  /** What the parts have in common: empty, or `with …`. */
  preface: Fragment
  /** Each in order and no longer than the reach; together they hold the page. */
  parts: Fragment[]
  /** Selects that give a row for each match, COUNTED_MATCHES + 1 at most; null where there is nothing to count. */
  matches: Fragment[] | null
  /** A condition: walking open and completed tasks together was enough. Null where that is not tried. */
  mergedWasEnough: Fragment
}

export const taskColumns = verbatim(TASK_COLUMNS.join(', '))

/** The columns of a task, and those that lists are ordered by. */
export const storedColumns = fragment`${taskColumns}, due_order, priority_order`

/** What the indexes by due date and by priority hold of each task. */
const keyColumns = verbatim('id, due_order, priority_order')

export const partColumns = fragment`${storedColumns}, lower(title collate pg_c_utf8) as title_order`

/** Reads index ranges in order. Good for every filter but words and tags: those have an index of their own. */
export function rangeReading({ userId, query, order, reach, isFar }: ListRequest): Reading {
  const columns = isFar && isKeyed(query) ? keyColumns : partColumns
  const filter = filterOf(query)
  const isPlain = filter === null && query.priorities.length === 0
  const ofPriority = priorityRanges(query) ? fragment`` : isOfPriority(query)
  const narrowed = fragment`${filter ?? fragment``} ${ofPriority}`
  const condition = isBounded(query) ? narrowed : fragment`${narrowed} ${plannedForItsValues}`
  const ranges = rangesOf(query).map(
    (range) =>
      fragment`from tasks where user_id = ${userId} and deleted_at is null and ${range} ${condition}`,
  )
  return {
    preface: fragment``,
    parts: ranges.flatMap((range) =>
      order.stretches.map(
        (stretch) => fragment`select ${columns} ${range} ${stretch.where}
          order by ${stretch.order} limit ${reach}`,
      ),
    ),
    // In an index order too: only so many rows are read, whatever the planner thinks of the filter.
    matches: isPlain
      ? null
      : ranges.map((range) => fragment`select 1 ${range} order by due_order limit ${COUNTED_MATCHES + 1}`),
    mergedWasEnough: fragment`null::boolean`,
  }
}

/** What narrows the list down beside status, priorities, words and tags; null when nothing does. */
export function filterOf(query: TaskQuery): Fragment | null {
  const { dueAfter, dueBefore, isRecurring, parentId } = query
  const conditions = [
    ...(dueAfter || dueBefore ? [dueRange(query)] : []),
    ...(isRecurring === true ? [fragment`and recurrence_rule is not null`] : []),
    ...(isRecurring === false ? [fragment`and recurrence_rule is null`] : []),
    ...(parentId === null ? [] : [fragment`and parent_id = ${parentId}`]),
  ]
  return conditions.length > 0 ? joined(conditions, ' ') : null
}

const isOfPriority = ({ priorities }: TaskQuery): Fragment =>
  priorities.length > 0
    ? fragment`and priority = any(${priorities.map((name) => PRIORITIES.indexOf(name))}::smallint[])`
    : fragment``

/** Nothing but ranges of the index the list is read by, so the plan is the same for all values. */
const isBounded = ({ sortBy, priorities, isRecurring, parentId, dueAfter, dueBefore }: TaskQuery): boolean =>
  isRecurring === null &&
  parentId === null &&
  priorities.length === 0 &&
  (sortBy === 'due_at' || (dueAfter === null && dueBefore === null))

/**
 * Which plan is best depends on the values of a filter, so it is planned with them every time: a plan for all values
 * would have to count with this series, which true makes vanish.
 */
const plannedForItsValues = fragment`and (${true}::boolean or (select sum(n) from generate_series(1, 1000000000) n) is null)`

/** Open tasks, completed ones, or both, each cut into the ranges of the wanted priorities. */
function rangesOf(query: TaskQuery): Fragment[] {
  const sides = sidesOf(query).map((isOpen) => fragment`is_open = ${isOpen}`)
  const ranges = priorityRanges(query)
  return ranges ? sides.flatMap((side) => ranges.map((range) => fragment`${side} and ${range}`)) : sides
}

export const sidesOf = ({ status }: TaskQuery): boolean[] =>
  status === 'all' ? [true, false] : [status === 'active']

const isKeyed = ({ sortBy }: Pick<TaskQuery, 'sortBy'>): boolean =>
  sortBy === 'due_at' || sortBy === 'priority'

/**
 * By due date or priority each wanted priority is a range of its own, so that the few tasks of a rare one are found at
 * once; null where there are no such ranges.
 */
export const priorityRanges = ({ priorities, sortBy }: TaskQuery): Fragment[] | null =>
  priorities.length > 0 && isKeyed({ sortBy })
    ? priorities.map((name) => fragment`priority_order = ${-PRIORITIES.indexOf(name)}::smallint`)
    : null

import type { TaskQuery } from '../../app/tasks/task-query.ts'
import { PRIORITIES } from '../../domain/tasks/task.ts'
import { fragment, joined, verbatim, type Fragment } from '../fragment.ts'
import { dueRange, type ListOrder, type Segment } from './task-reader-order.ts'
import { TASK_COLUMNS } from './task-rows.ts'
import { lexemePrefix, searchQuery, type WantedTerms } from './task-search.ts'

/** Matches of a filter are counted up to here; without a filter the user's counters know. */
export const COUNTED_MATCHES = 1000

export interface ListRequest {
  userId: string
  query: TaskQuery
  terms: WantedTerms
  order: ListOrder
  /** So many tasks of each part are enough for the page. */
  pageEnd: number
  /** So much is skipped before the page that only its ids are read first, where an index holds them with the order. */
  isDeep: boolean
}

/** What is remembered of a list for the next time. */
export interface KnownList {
  /** Of the user's last event. The counts are as good as that is the last one. */
  sequence: number
  /** How many tasks matched, for each of {@link Reading.matches}. */
  counts: number[]
  /** Whether a search met its page on a scan of all sides; null where none was made. */
  wasScanEnough: boolean | null
}

export const NOT_KNOWN = fragment`null::boolean`

export interface Reading {
  /** What the parts have in common: empty, or `with …`. */
  preface: Fragment
  /** Each in order and no longer than {@link ListRequest.pageEnd}; together they hold the page. */
  parts: Fragment[]
  /** Selects that give a row for each match, COUNTED_MATCHES + 1 at most; null where there is nothing to count. */
  matches: Fragment[] | null
  /** See {@link KnownList}. */
  wasScanEnough: Fragment
  /** The same plan is best for all values; where it is not, the statement is planned with its own. */
  hasOnePlan: boolean
}

export const taskColumns = verbatim(TASK_COLUMNS.join(', '))

/** The columns of a task, and those that lists are ordered by. */
export const storedColumns = fragment`${taskColumns}, due_order, priority_order`

/** What the indexes by due date and by priority hold of each task. */
const keyColumns = verbatim('id, due_order, priority_order')

/** Reads index ranges in order. Good for every filter but words and tags: those have an index of their own. */
export function rangeReading({ userId, query, terms, order, pageEnd, isDeep }: ListRequest): Reading {
  const columns = isDeep && isKeyed(query) ? keyColumns : storedColumns
  const filter = filterOf(query)
  const isPlain = filter === null && query.priorities.length === 0 && query.status !== 'deleted'
  const ofPriority = priorityRanges(query) ? fragment`` : isOfPriority(query)
  const words = query.status === 'deleted' ? deletedHold(userId, query, terms) : fragment``
  const ranges = rangesOf(query).map(({ isOpen, where }) => ({
    isOpen,
    rows: fragment`from tasks where user_id = ${userId} and ${where} ${words} ${filter ?? fragment``} ${ofPriority}`,
  }))
  const inOrder = query.status === 'deleted' ? fragment`` : fragment`order by due_order`
  return {
    preface: fragment``,
    parts: ranges.flatMap(({ isOpen, rows }) =>
      segmentsOf(order, isOpen).map(
        (segment) => fragment`select ${columns} ${rows} ${segment.where}
          order by ${segment.order} limit ${pageEnd}`,
      ),
    ),
    // In an index order too: only so many rows are read, whatever the planner thinks of the filter.
    matches: isPlain
      ? null
      : ranges.map(({ rows }) => fragment`select 1 ${rows} ${inOrder} limit ${COUNTED_MATCHES + 1}`),
    wasScanEnough: NOT_KNOWN,
    hasOnePlan: isBounded(query),
  }
}

/** Those of an order that hold tasks of this side; of both, where the tasks are not told apart. */
const segmentsOf = ({ segments }: ListOrder, isOpen: boolean | null): Segment[] =>
  segments.flatMap((segment) => {
    if (segment.isOpen === undefined || segment.isOpen === isOpen) return [segment]
    if (isOpen !== null) return []
    return [{ ...segment, where: fragment`and is_open = ${segment.isOpen} ${segment.where}` }]
  })

/** What narrows the list down beside status, priorities, words and tags; null when nothing does. */
export function filterOf(query: TaskQuery): Fragment | null {
  const { dueAfter, dueBefore, due, completedAfter, completedBefore, isRecurring, parentId, isTopLevel } =
    query
  const conditions = [
    ...(dueAfter || dueBefore || due ? [dueRange(query)] : []),
    ...(completedAfter ? [fragment`and completed_at >= ${completedAfter}`] : []),
    ...(completedBefore ? [fragment`and completed_at < ${completedBefore}`] : []),
    ...(isRecurring === true ? [fragment`and recurrence_rule is not null`] : []),
    ...(isRecurring === false ? [fragment`and recurrence_rule is null`] : []),
    ...(parentId === null ? [] : [fragment`and parent_id = ${parentId}`]),
    ...(isTopLevel ? [fragment`and parent_id is null`] : []),
  ]
  return conditions.length > 0 ? joined(conditions, ' ') : null
}

const isOfPriority = ({ priorities }: TaskQuery): Fragment =>
  priorities.length > 0
    ? fragment`and priority = any(${priorities.map((name) => PRIORITIES.indexOf(name))}::smallint[])`
    : fragment``

/** Nothing but ranges of the index the list is read by. */
const isBounded = (query: TaskQuery): boolean => {
  const { sortBy, status, priorities, due, dueAfter, dueBefore } = query
  const others = filterOf({ ...query, due: null, dueAfter: null, dueBefore: null })
  if (others !== null || priorities.length > 0 || status === 'deleted') return false
  return sortBy === 'due_at' || (due === null && dueAfter === null && dueBefore === null)
}

interface Range {
  /** Null for both sides in one. */
  isOpen: boolean | null
  where: Fragment
}

/** Open tasks, completed ones, or both, or those that are deleted, each cut into the ranges of the wanted priorities. */
function rangesOf(query: TaskQuery): Range[] {
  const sides: Range[] =
    query.status === 'deleted'
      ? [{ isOpen: null, where: fragment`deleted_at is not null` }]
      : sidesOf(query).map((isOpen) => ({
          isOpen,
          where: fragment`deleted_at is null and is_open = ${isOpen}`,
        }))
  const ranges = priorityRanges(query)
  if (!ranges) return sides
  return sides.flatMap(({ isOpen, where }) =>
    ranges.map((range) => ({ isOpen, where: fragment`${where} and ${range}` })),
  )
}

export const sidesOf = ({ status }: TaskQuery): boolean[] =>
  status === 'all' ? [true, false] : [status === 'active']

/** Deleted tasks are in no index of words. */
function deletedHold(userId: string, query: TaskQuery, terms: WantedTerms): Fragment {
  if (terms.length === 0 && query.tags.length === 0) return fragment``
  const sides = [true, false].map((isOpen) =>
    holds(searchQuery(lexemePrefix(userId, isOpen), { ...query, terms })),
  )
  return fragment`and (${joined(sides, ' or ')})`
}

export const holds = (text: string): Fragment => fragment`words @@ (select ${text}::text::tsquery)`

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

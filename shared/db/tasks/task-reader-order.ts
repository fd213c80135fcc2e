import type { TaskQuery } from '../../app/tasks/task-query.ts'
import { DAY_MS } from '../../domain/durations.ts'
import type { DueState } from '../../domain/tasks/due-state.ts'
import { fragment, type Fragment } from '../fragment.ts'
import type { CursorKey } from './task-reader-cursor.ts'
import { NEVER_DUE } from './task-rows.ts'

/** A segment of the list that one index holds in order: which rows of it are wanted, and that order. */
export interface Segment {
  where: Fragment
  order: Fragment
  /** Holds tasks of this side only. */
  isOpen?: boolean
}

export interface ListOrder {
  /** Together they are the list after the cursor's place, each in the list's order. */
  segments: Segment[]
  order: Fragment
}

/**
 * How a list is read in order without sorting more than a page. An index range holds one order only, so tasks without a
 * due date (last in both directions) and ascending priorities (the due date still ascends within each) take several.
 */
export function listOrder(query: TaskQuery, after: CursorKey | null): ListOrder {
  switch (query.sortBy) {
    case 'due_at':
      return query.sortOrder === 'asc' ? dueFirst(query, after) : dueLast(query, after)
    case 'priority':
      return query.sortOrder === 'desc' ? highestFirst(after) : lowestFirst(after)
    case 'created_at':
      return byColumn({ column: fragment`created_at`, type: fragment`timestamptz` }, query, after)
    case 'updated_at':
      return byColumn({ column: fragment`updated_at`, type: fragment`timestamptz` }, query, after)
    case 'completed_at':
      return byCompletion(query, after)
    case 'title':
      return byColumn({ column: fragment`title collate title_order`, type: fragment`text` }, query, after)
    case 'position':
      return byColumn({ column: fragment`position`, type: fragment`bigint` }, query, after)
  }
}

/** The due range of a query, if it has one: part of the filter, and of the segments where it bounds them. */
export function dueRange({ dueAfter, dueBefore, due }: TaskQuery): Fragment {
  const from = dueAfter ? fragment`and due_order >= ${dueAfter} and due_order < ${NEVER_DUE}` : fragment``
  const range = dueBefore ? fragment`${from} and due_order < ${dueBefore}` : from
  return due ? fragment`${range} ${isIn(due)}` : range
}

/**
 * First a range of `due_order`, by the task's own zone, that holds them all: a day begins and ends somewhere on earth within a
 * day of when it does in UTC.
 */
function isIn(due: DueState): Fragment {
  switch (due.is) {
    case 'none':
      return fragment`and due_order = ${NEVER_DUE}`
    case 'overdue': {
      const latest = new Date(Math.max(due.now.getTime(), Date.parse(due.today) + DAY_MS))
      return fragment`and due_order < ${latest}
        and case when due_at is null then due_date < ${due.today}::date else due_at < ${due.now} end`
    }
    case 'today': {
      const [earliest, latest] = [-1, 2].map((days) => new Date(Date.parse(due.today) + days * DAY_MS))
      return fragment`and due_order >= ${earliest} and due_order < ${latest}
        and case when due_at is null then due_date = ${due.today}::date
          else due_at >= ${due.from} and due_at < ${due.until} end`
    }
  }
}

function dueFirst(query: TaskQuery, after: CursorKey | null): ListOrder {
  const order = fragment`due_order, priority_order, id`
  const beyond = after
    ? fragment`and (due_order, priority_order, id) >
        (${after.value}::timestamptz, ${-after.priority}::smallint, ${after.id}::uuid)`
    : fragment``
  const where = fragment`${dueRange(query)} ${beyond}`
  return { segments: [{ where, order }], order }
}

function dueLast(query: TaskQuery, after: CursorKey | null): ListOrder {
  const dated = {
    where: fragment`${dueRange(query)} and due_order < ${NEVER_DUE}`,
    order: fragment`due_order desc, priority_order, id`,
  }
  const undated = {
    where: fragment`and due_order = ${NEVER_DUE}`,
    order: fragment`priority_order, id`,
  }
  const order = fragment`due_order = ${NEVER_DUE}, due_order desc, priority_order, id`
  if (!after) return { segments: [dated, undated], order }
  const later = fragment`(priority_order, id) > (${-after.priority}::smallint, ${after.id}::uuid)`
  if (after.value === NEVER_DUE.toISOString()) {
    return { segments: [{ ...undated, where: fragment`${undated.where} and ${later}` }], order }
  }
  const at = fragment`${after.value}::timestamptz`
  const where = fragment`${dated.where} and due_order <= ${at} and (due_order < ${at} or ${later})`
  return { segments: [{ ...dated, where }, undated], order }
}

function highestFirst(after: CursorKey | null): ListOrder {
  const order = fragment`priority_order, due_order, id`
  const where = after
    ? fragment`and (priority_order, due_order, id) >
        (${-after.priority}::smallint, ${after.value}::timestamptz, ${after.id}::uuid)`
    : fragment``
  return { segments: [{ where, order }], order }
}

function lowestFirst(after: CursorKey | null): ListOrder {
  const segments = [0, 1, 2]
    .filter((priority) => !after || priority >= after.priority)
    .map((priority) => {
      const later =
        priority === after?.priority
          ? fragment`and (due_order, id) > (${after.value}::timestamptz, ${after.id}::uuid)`
          : fragment``
      return {
        where: fragment`and priority_order = ${-priority}::smallint ${later}`,
        order: fragment`due_order, id`,
      }
    })
  return { segments, order: fragment`priority_order desc, due_order, id` }
}

/** Open tasks are not completed: they come after the others, as due dates are sorted. */
function byCompletion(query: TaskQuery, after: CursorKey | null): ListOrder {
  const isAfterOpen = typeof after?.value === 'string' && after.value.startsWith('~')
  const completed = byColumn(
    { column: fragment`completed_at`, type: fragment`timestamptz` },
    query,
    isAfterOpen ? null : after,
  )
  const open = dueFirst(query, isAfterOpen ? { ...after, value: String(after.value).slice(1) } : null)
  const segments = [
    ...(isAfterOpen ? [] : completed.segments).map(({ where, order }) => ({
      where: fragment`and completed_at is not null ${where}`,
      order,
      isOpen: false,
    })),
    ...open.segments.map((segment) => ({ ...segment, isOpen: true })),
  ]
  const direction = query.sortOrder === 'asc' ? fragment`asc` : fragment`desc`
  const order = fragment`completed_at is null, completed_at ${direction},
    case when completed_at is null then due_order end, priority_order, id`
  return { segments, order }
}

/** Few tasks share a value here, so the index holds the column alone and PostgreSQL sorts within equal values. */
function byColumn(
  { column, type }: { column: Fragment; type: Fragment },
  { sortOrder }: TaskQuery,
  after: CursorKey | null,
): ListOrder {
  const ascending = sortOrder === 'asc'
  const order = fragment`${column} ${ascending ? fragment`asc` : fragment`desc`}, priority_order, id`
  if (!after) return { segments: [{ where: fragment``, order }], order }
  const at = fragment`${after.value}::${type}`
  const beyond = ascending ? fragment`${column} > ${at}` : fragment`${column} < ${at}`
  const where = fragment`and ${column} ${ascending ? fragment`>=` : fragment`<=`} ${at}
    and (${beyond} or (priority_order, id) > (${-after.priority}::smallint, ${after.id}::uuid))`
  return { segments: [{ where, order }], order }
}

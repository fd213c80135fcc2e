import type { TaskQuery } from '../app/task-query.ts'
import { fragment, type Fragment } from './fragment.ts'
import type { Place } from './task-reader-cursor.ts'
import { NEVER_DUE } from './task-rows.ts'

/** A stretch of the list that one index holds in order: which rows of it are wanted, and that order. */
export interface Stretch {
  where: Fragment
  order: Fragment
  /** The same among tasks of one priority, without the priority: so PostgreSQL can merge two sides by it. */
  orderOfOne?: Fragment
}

export interface ListOrder {
  /** Together they are the list after the cursor's place, each in the list's order. */
  stretches: Stretch[]
  /** The order of the whole. */
  order: Fragment
}

/**
 * How a list is read in order without sorting more than a page. An index range holds one order only, so tasks without a
 * due date (last in both directions) and ascending priorities (the due date still ascends within each) take several.
 */
export function listOrder(query: TaskQuery, after: Place | null): ListOrder {
  switch (query.sortBy) {
    case 'due_at':
      return query.sortOrder === 'asc' ? dueFirst(query, after) : dueLast(query, after)
    case 'priority':
      return query.sortOrder === 'desc' ? highestFirst(after) : lowestFirst(after)
    case 'created_at':
      return byColumn({ column: fragment`created_at`, type: fragment`timestamptz` }, query, after)
    case 'updated_at':
      return byColumn({ column: fragment`updated_at`, type: fragment`timestamptz` }, query, after)
    case 'title':
      return byColumn(
        { column: fragment`lower(title collate pg_c_utf8)`, type: fragment`text` },
        query,
        after,
      )
    case 'position':
      return byColumn({ column: fragment`position`, type: fragment`bigint` }, query, after)
  }
}

/** The due range of a query, if it has one: part of the filter, and of the stretches where it bounds them. */
export function dueRange({ dueAfter, dueBefore }: TaskQuery): Fragment {
  const from = dueAfter ? fragment`and due_order >= ${dueAfter} and due_order < ${NEVER_DUE}` : fragment``
  return dueBefore ? fragment`${from} and due_order < ${dueBefore}` : from
}

function dueFirst(query: TaskQuery, after: Place | null): ListOrder {
  const order = fragment`due_order, priority_order, id`
  const beyond = after
    ? fragment`and (due_order, priority_order, id) >
        (${after.value}::timestamptz, ${-after.priority}::smallint, ${after.id}::uuid)`
    : fragment``
  const where = fragment`${dueRange(query)} ${beyond}`
  return { stretches: [{ where, order, orderOfOne: fragment`due_order, id` }], order }
}

function dueLast(query: TaskQuery, after: Place | null): ListOrder {
  const dated = {
    where: fragment`${dueRange(query)} and due_order < ${NEVER_DUE}`,
    order: fragment`due_order desc, priority_order, id`,
    orderOfOne: fragment`due_order desc, id`,
  }
  const undated = {
    where: fragment`and due_order = ${NEVER_DUE}`,
    order: fragment`priority_order, id`,
    orderOfOne: fragment`id`,
  }
  const order = fragment`due_order = ${NEVER_DUE}, due_order desc, priority_order, id`
  if (!after) return { stretches: [dated, undated], order }
  const later = fragment`(priority_order, id) > (${-after.priority}::smallint, ${after.id}::uuid)`
  if (after.value === NEVER_DUE.toISOString()) {
    return { stretches: [{ ...undated, where: fragment`${undated.where} and ${later}` }], order }
  }
  const at = fragment`${after.value}::timestamptz`
  const where = fragment`${dated.where} and due_order <= ${at} and (due_order < ${at} or ${later})`
  return { stretches: [{ ...dated, where }, undated], order }
}

function highestFirst(after: Place | null): ListOrder {
  const order = fragment`priority_order, due_order, id`
  const where = after
    ? fragment`and (priority_order, due_order, id) >
        (${-after.priority}::smallint, ${after.value}::timestamptz, ${after.id}::uuid)`
    : fragment``
  return { stretches: [{ where, order, orderOfOne: fragment`due_order, id` }], order }
}

function lowestFirst(after: Place | null): ListOrder {
  const stretches = [0, 1, 2]
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
  return { stretches, order: fragment`priority_order desc, due_order, id` }
}

/** Few tasks share a value here, so the index holds the column alone and PostgreSQL sorts within equal values. */
function byColumn(
  { column, type }: { column: Fragment; type: Fragment },
  { sortOrder }: TaskQuery,
  after: Place | null,
): ListOrder {
  const ascending = sortOrder === 'asc'
  const order = fragment`${column} ${ascending ? fragment`asc` : fragment`desc`}, priority_order, id`
  if (!after) return { stretches: [{ where: fragment``, order }], order }
  const at = fragment`${after.value}::${type}`
  const beyond = ascending ? fragment`${column} > ${at}` : fragment`${column} < ${at}`
  const where = fragment`and ${column} ${ascending ? fragment`>=` : fragment`<=`} ${at}
    and (${beyond} or (priority_order, id) > (${-after.priority}::smallint, ${after.id}::uuid))`
  return { stretches: [{ where, order }], order }
}

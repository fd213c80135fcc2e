import type { Fragment } from 'postgres'
import type { TaskQuery } from '../app/task-query.ts'
import type { Sql } from './connect.ts'
import type { Place } from './task-reader-cursor.ts'
import { NEVER_DUE } from './task-rows.ts'

/** A stretch of the list that one index holds in order: which rows of it are wanted, and that order. */
export interface Stretch {
  where: Fragment
  order: Fragment
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
export function listOrder(sql: Sql, query: TaskQuery, after: Place | null): ListOrder {
  switch (query.sortBy) {
    case 'due_at':
      return query.sortOrder === 'asc' ? dueFirst(sql, query, after) : dueLast(sql, query, after)
    case 'priority':
      return query.sortOrder === 'desc' ? highestFirst(sql, after) : lowestFirst(sql, after)
    case 'created_at':
      return byColumn(sql, { column: sql`created_at`, type: sql`timestamptz` }, query, after)
    case 'updated_at':
      return byColumn(sql, { column: sql`updated_at`, type: sql`timestamptz` }, query, after)
    case 'title':
      return byColumn(sql, { column: sql`lower(title collate pg_c_utf8)`, type: sql`text` }, query, after)
    case 'position':
      return byColumn(sql, { column: sql`position`, type: sql`bigint` }, query, after)
  }
}

/** The due range of a query, if it has one: part of the filter, and of the stretches where it bounds them. */
export function dueRange(sql: Sql, { dueAfter, dueBefore }: TaskQuery): Fragment {
  const from = dueAfter ? sql`and due_order >= ${dueAfter} and due_order < ${NEVER_DUE}` : sql``
  return dueBefore ? sql`${from} and due_order < ${dueBefore}` : from
}

function dueFirst(sql: Sql, query: TaskQuery, after: Place | null): ListOrder {
  const order = sql`due_order, priority_order, id`
  const beyond = after
    ? sql`and (due_order, priority_order, id) >
        (${after.value}::timestamptz, ${-after.priority}::smallint, ${after.id}::uuid)`
    : sql``
  return { stretches: [{ where: sql`${dueRange(sql, query)} ${beyond}`, order }], order }
}

function dueLast(sql: Sql, query: TaskQuery, after: Place | null): ListOrder {
  const dated = {
    where: sql`${dueRange(sql, query)} and due_order < ${NEVER_DUE}`,
    order: sql`due_order desc, priority_order, id`,
  }
  const undated = { where: sql`and due_order = ${NEVER_DUE}`, order: sql`priority_order, id` }
  const order = sql`due_order = ${NEVER_DUE}, due_order desc, priority_order, id`
  if (!after) return { stretches: [dated, undated], order }
  const later = sql`(priority_order, id) > (${-after.priority}::smallint, ${after.id}::uuid)`
  if (after.value === NEVER_DUE.toISOString()) {
    return { stretches: [{ ...undated, where: sql`${undated.where} and ${later}` }], order }
  }
  const at = sql`${after.value}::timestamptz`
  const where = sql`${dated.where} and due_order <= ${at} and (due_order < ${at} or ${later})`
  return { stretches: [{ ...dated, where }, undated], order }
}

function highestFirst(sql: Sql, after: Place | null): ListOrder {
  const order = sql`priority_order, due_order, id`
  const where = after
    ? sql`and (priority_order, due_order, id) >
        (${-after.priority}::smallint, ${after.value}::timestamptz, ${after.id}::uuid)`
    : sql``
  return { stretches: [{ where, order }], order }
}

function lowestFirst(sql: Sql, after: Place | null): ListOrder {
  const stretches = [0, 1, 2]
    .filter((priority) => !after || priority >= after.priority)
    .map((priority) => {
      const later =
        priority === after?.priority
          ? sql`and (due_order, id) > (${after.value}::timestamptz, ${after.id}::uuid)`
          : sql``
      return { where: sql`and priority_order = ${-priority}::smallint ${later}`, order: sql`due_order, id` }
    })
  return { stretches, order: sql`priority, due_order, id` }
}

/** Few tasks share a value here, so the index holds the column alone and PostgreSQL sorts within equal values. */
function byColumn(
  sql: Sql,
  { column, type }: { column: Fragment; type: Fragment },
  { sortOrder }: TaskQuery,
  after: Place | null,
): ListOrder {
  const ascending = sortOrder === 'asc'
  const order = sql`${column} ${ascending ? sql`asc` : sql`desc`}, priority_order, id`
  if (!after) return { stretches: [{ where: sql``, order }], order }
  const at = sql`${after.value}::${type}`
  const beyond = ascending ? sql`${column} > ${at}` : sql`${column} < ${at}`
  const where = sql`and ${column} ${ascending ? sql`>=` : sql`<=`} ${at}
    and (${beyond} or (priority_order, id) > (${-after.priority}::smallint, ${after.id}::uuid))`
  return { stretches: [{ where, order }], order }
}

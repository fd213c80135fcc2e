import type { Fragment } from 'postgres'
import type { TaskPage, TaskQuery } from '../app/task-query.ts'
import { PRIORITIES } from '../domain/task.ts'
import type { Sql } from './connect.ts'
import { cursorAt, placeOf, type Place } from './task-reader-cursor.ts'
import { listOrder } from './task-reader-order.ts'
import { NEVER_DUE, TASK_COLUMNS, taskFromRow, type TaskRow } from './task-rows.ts'
import { tagsQuery } from './task-search.ts'

/** Matches of a filter are counted up to here; without a filter the user's counters know. */
export const COUNTED_MATCHES = 1000

/** How many tasks matched when the user's last event had this sequence number. */
export interface KnownTotal {
  sequence: number
  total: number
}

interface ListRow extends TaskRow {
  due_order: Date
  title_order: string
  sequence: number
  total: number
}

/** A filter whose text search has been worked out: `words` is a tsquery, see wordsQuery. */
export type ListQuery = TaskQuery & { words: string | null }

interface Asked {
  sql: Sql
  userId: string
  query: ListQuery
  /** Null when nothing but its status narrows the list down. */
  filter: Fragment | null
}

/** One page, in one round trip. What `known` says is trusted as long as the user's sequence number has not moved. */
export async function listTasks(
  sql: Sql,
  userId: string,
  query: ListQuery,
  known: KnownTotal | undefined,
): Promise<{ page: TaskPage; counted: KnownTotal }> {
  const filter = filterOf(sql, userId, query)
  const asked: Asked = { sql, userId, query, filter }
  const rows = await sql<ListRow[]>`
    select totals.*, page.* from (
      select coalesce(max(last_seq), 0) as sequence, ${totalOf(asked, known)} as total
      from user_counters where user_id = ${userId}) totals
    left join lateral (${pageOf(asked)}) page on true`
  const [first] = rows
  const found = rows.filter((row) => row.id !== null)
  const items = found.slice(0, query.limit)
  const last = found.length > query.limit ? items.at(-1) : undefined
  const total = first?.total ?? 0
  return {
    counted: { sequence: first?.sequence ?? 0, total },
    page: {
      items: items.map(taskFromRow),
      total: filter ? Math.min(total, COUNTED_MATCHES) : total,
      isTotalExact: !filter || total <= COUNTED_MATCHES,
      nextCursor: last ? cursorAt(query, placeOfRow(query, last)) : null,
    },
  }
}

/** The stretches of the order, of the open and of the completed tasks, each read no further than the page reaches. */
function pageOf({ sql, userId, query, filter }: Asked): Fragment {
  const { stretches, order } = listOrder(
    sql,
    query,
    query.cursor === null ? null : placeOf(query, query.cursor),
  )
  const offset = query.cursor !== null ? 0 : (query.page - 1) * query.limit
  const columns = sql`${sql(TASK_COLUMNS)}, due_order, priority_order, lower(title collate pg_c_utf8) as title_order`
  const parts = rangesOf(sql, query).flatMap((range) =>
    stretches.map(
      (stretch) => sql`select ${columns} from tasks
        where user_id = ${userId} and deleted_at is null ${range} ${stretch.where} ${filter ?? sql``}
        order by ${stretch.order}`,
    ),
  )
  const [only, ...others] = parts
  if (only && others.length === 0) return sql`${only} limit ${query.limit + 1} offset ${offset}`
  const reach = offset + query.limit + 1
  return sql`select * from (${unionOf(
    sql,
    parts.map((part) => sql`(${part} limit ${reach})`),
  )}) parts order by ${order} limit ${query.limit + 1} offset ${offset}`
}

/** With a filter, matches are counted in an index order too: the planner's alternative could be to read the whole table. */
function totalOf({ sql, userId, query, filter }: Asked, known: KnownTotal | undefined): Fragment {
  const { status } = query
  const active = sql`coalesce(max(active_tasks), 0)`
  const completed = sql`coalesce(max(completed_tasks), 0)`
  if (!filter) {
    return status === 'all' ? sql`${active} + ${completed}` : status === 'active' ? active : completed
  }
  const matches = rangesOf(sql, query).map(
    (range) => sql`(select 1 from tasks
      where user_id = ${userId} and deleted_at is null ${range} ${filter}
      order by due_order limit ${COUNTED_MATCHES + 1})`,
  )
  return sql`case when coalesce(max(last_seq), 0) = ${known?.sequence ?? -1}::bigint then ${known?.total ?? 0}::bigint
    else (select count(*) from (${unionOf(sql, matches)}) matches) end`
}

/** Everything that narrows the list down but its status, or null when nothing does. */
function filterOf(sql: Sql, userId: string, query: ListQuery): Fragment | null {
  const { words, priorities, tags, tagsMode, dueAfter, dueBefore, isRecurring, parentId } = query
  const conditions = [
    ...(words === null ? [] : [sql`and words @@ lower(${words}::text collate pg_c_utf8)::tsquery`]),
    ...(tags.length === 0 ? [] : [sql`and words @@ ${tagsQuery(userId, tags, tagsMode)}::tsquery`]),
    ...(priorities.length === 0 || hasPriorityRanges(query)
      ? []
      : [sql`and priority = any(${priorities.map((name) => PRIORITIES.indexOf(name))}::smallint[])`]),
    ...(dueAfter ? [sql`and due_order >= ${dueAfter} and due_order < ${NEVER_DUE}`] : []),
    ...(dueBefore ? [sql`and due_order < ${dueBefore}`] : []),
    ...(isRecurring === null
      ? []
      : [isRecurring ? sql`and recurrence_rule is not null` : sql`and recurrence_rule is null`]),
    ...(parentId === null ? [] : [sql`and parent_id = ${parentId}`]),
  ]
  if (conditions.length === 0 && priorities.length === 0) return null
  // What is best depends on how common a word or a tag is, so each search is planned with its own values: a plan for
  // all values would have to count with this series, which true makes vanish.
  const planned = sql`and (${true}::boolean or (select sum(n) from generate_series(1, 1000000000) n) is null)`
  return sql`${[...conditions, planned]}`
}

/**
 * The index ranges that make up the list: open tasks, completed ones, or both. Where nothing else narrows it down, each
 * priority is a range of its own, so that the few of a rare one are found at once.
 */
function rangesOf(sql: Sql, query: ListQuery): Fragment[] {
  const sides = query.status === 'all' ? [true, false] : [query.status === 'active']
  const ranges = sides.map((isOpen) => sql`and is_open = ${isOpen}`)
  if (!hasPriorityRanges(query)) return ranges
  return ranges.flatMap((range) =>
    query.priorities.map((name) => sql`${range} and priority_order = ${-PRIORITIES.indexOf(name)}::smallint`),
  )
}

const hasPriorityRanges = ({ priorities, words, tags, sortBy }: ListQuery): boolean =>
  priorities.length > 0 &&
  words === null &&
  tags.length === 0 &&
  (sortBy === 'due_at' || sortBy === 'priority')

const unionOf = (sql: Sql, parts: Fragment[]): Fragment =>
  parts.reduce((all, part) => sql`${all} union all ${part}`)

function placeOfRow({ sortBy }: TaskQuery, row: ListRow): Place {
  const values = {
    due_at: row.due_order,
    priority: row.due_order,
    created_at: row.created_at,
    updated_at: row.updated_at,
    title: row.title_order,
    position: row.position,
  }
  const value = values[sortBy]
  return { value: value instanceof Date ? value.toISOString() : value, priority: row.priority, id: row.id }
}

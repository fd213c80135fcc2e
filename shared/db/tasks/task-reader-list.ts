import type { TaskPage, TaskQuery } from '../../app/tasks/task-query.ts'
import { invalidField } from '../../domain/errors.ts'
import type { Sql } from '../connect.ts'
import { fragment, joined, run, verbatim, type Fragment } from '../fragment.ts'
import { pageOf, textBytes, untilFull } from '../page-bytes.ts'
import { cursorKeyOf, taskCursor, type CursorKey } from './task-reader-cursor.ts'
import { listOrder } from './task-reader-order.ts'
import {
  COUNTED_MATCHES,
  storedColumns,
  rangeReading,
  type KnownList,
  type Reading,
} from './task-reader-ranges.ts'
import { searchReading } from './task-reader-search.ts'
import { taskFromRow, type TaskRow } from './task-rows.ts'
import type { WantedTerms } from './task-search.ts'

/** Rows before a page that are many enough to be skipped without being read. */
const DEEP_PAGE = 200

interface ListRow extends TaskRow {
  due_order: Date
  sequence: number
  counts: number[]
  was_scan_enough: boolean | null
}

/** What a task takes in JSON beside the texts that users choose. */
const FIELD_BYTES = 1000
const bytesOf = ({ title, description, tags, recurrence_rule: rule }: TaskRow): number =>
  FIELD_BYTES + textBytes(title, description ?? '', rule ?? '', ...tags)
const leastBytes = fragment`(${verbatim(String(FIELD_BYTES))} + octet_length(title) + coalesce(octet_length(description), 0))`

/** To have PostgreSQL add up sizes costs some time; no more than these is about a megabyte without that. */
const MAX_UNMEASURED_TASKS = 50

const largePage = () =>
  invalidField('page', 'is larger than 1 MB; request fewer tasks, or follow next_cursor from the first page')

/** A query whose text search has been worked out. */
export type ListQuery = TaskQuery & { terms: WantedTerms }

/** One page, in one round trip. The counts in `known` are trusted as long as the user's sequence number has not moved. */
export async function listTasks(
  sql: Sql,
  userId: string,
  query: ListQuery,
  known: KnownList | undefined,
): Promise<{ page: TaskPage; remembered: KnownList }> {
  const { limit, terms, tags } = query
  const after = cursorKeyOf(query)
  const offset = after || query.page === null ? 0 : (query.page - 1) * limit
  const order = listOrder(query, after)
  const isDeep = offset >= DEEP_PAGE
  const request = { userId, query, terms, order, pageEnd: offset + limit + 1, isDeep }
  const isSearch = query.status !== 'deleted' && (terms.length > 0 || tags.length > 0)
  const reading = isSearch ? searchReading(request, known) : rangeReading(request)
  const parts = joined(
    reading.parts.map((rows) => fragment`(${rows})`),
    ' union all ',
  )
  const window = fragment`order by ${order.order} limit ${limit + 1} offset ${offset}`
  const page = isDeep
    ? fragment`select ${storedColumns} from (select id from (${parts}) parts ${window}) ids
        join tasks using (id) order by ${order.order}`
    : fragment`select * from (${parts}) parts ${window}`
  // The outer join is a loop over one row, which keeps the order of the page, as does the sum without an order of its own.
  const statement = fragment`
    ${reading.preface}
    select totals.*, page.* from (
      select coalesce(max(last_seq), 0) as sequence, ${countsOf(query, reading, known)} as counts,
        ${reading.wasScanEnough} as was_scan_enough
      from (select * from user_counters where user_id = ${userId} order by turn desc limit 1) newest) totals
    left join lateral (${limit > MAX_UNMEASURED_TASKS ? untilFull(page, leastBytes) : page}) page on true`
  const read = (rows: readonly ListRow[]) => {
    const found = pageOf(
      rows.filter((row) => row.id !== null),
      limit,
      bytesOf,
    )
    if (found.endsByBytes && query.page !== null && !after) throw largePage()
    const last = found.hasMore ? found.page.at(-1) : undefined
    const { sequence, counts, was_scan_enough: wasEnough } = rows[0]!
    const total = counts.reduce((sum, count) => sum + count, 0)
    return {
      remembered: { sequence, counts, wasScanEnough: wasEnough ?? known?.wasScanEnough ?? null },
      page: {
        items: found.page.map(taskFromRow),
        total: reading.matches ? Math.min(total, COUNTED_MATCHES) : total,
        isTotalExact: reading.matches === null || total <= COUNTED_MATCHES,
        nextCursor: last ? taskCursor(query, placeOfRow(query, last)) : null,
      },
    }
  }
  return run(sql, statement, read, { prepare: reading.hasOnePlan })
}

function countsOf({ status }: TaskQuery, { matches }: Reading, known: KnownList | undefined): Fragment {
  if (!matches) {
    const active = fragment`coalesce(max(active_tasks), 0)`
    const completed = fragment`coalesce(max(completed_tasks), 0)`
    if (status === 'all') return fragment`array[${active} + ${completed}]`
    return fragment`array[${status === 'active' ? active : completed}]`
  }
  const { sequence, counts } = known ?? { sequence: -1, counts: [] }
  const counted = matches.map((rows) => fragment`(select count(*) from (${rows}) matches)`)
  return fragment`case when coalesce(max(last_seq), 0) = ${sequence}::bigint then ${counts}::bigint[]
    else array[${joined(counted, ', ')}] end`
}

function placeOfRow({ sortBy }: TaskQuery, row: ListRow): CursorKey {
  const values = {
    due_at: row.due_order,
    priority: row.due_order,
    created_at: row.created_at,
    updated_at: row.updated_at,
    completed_at: row.completed_at ?? `~${row.due_order.toISOString()}`,
    title: row.title,
    position: row.position,
  }
  const value = values[sortBy]
  return { value: value instanceof Date ? value.toISOString() : value, priority: row.priority, id: row.id }
}

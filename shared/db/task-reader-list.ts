import type { TaskPage, TaskQuery } from '../app/task-query.ts'
import type { Sql } from './connect.ts'
import { fragment, joined, run, type Fragment } from './fragment.ts'
import { cursorAt, placeOf, type Place } from './task-reader-cursor.ts'
import { listOrder } from './task-reader-order.ts'
import {
  COUNTED_MATCHES,
  partColumns,
  rangeReading,
  type KnownList,
  type Reading,
} from './task-reader-ranges.ts'
import { searchReading } from './task-reader-search.ts'
import { taskFromRow, type TaskRow } from './task-rows.ts'
import type { WantedWords } from './task-search.ts'

/** Rows before a page that are many enough to be skipped without being read. */
const FAR = 200

interface ListRow extends TaskRow {
  due_order: Date
  title_order: string
  sequence: number
  counts: number[]
  merged_was_enough: boolean | null
}

/** A query whose text search has been worked out. */
export type ListQuery = TaskQuery & { words: WantedWords }

/** One page, in one round trip. The counts in `known` are trusted as long as the user's sequence number has not moved. */
export async function listTasks(
  sql: Sql,
  userId: string,
  query: ListQuery,
  known: KnownList | undefined,
): Promise<{ page: TaskPage; remembered: KnownList }> {
  const { limit, words, tags } = query
  const after = query.cursor === null ? null : placeOf(query, query.cursor)
  const offset = after ? 0 : (query.page - 1) * limit
  const order = listOrder(query, after)
  const isFar = offset >= FAR
  const request = { userId, query, order, reach: offset + limit + 1, isFar }
  const isSearch = words.length > 0 || tags.length > 0
  const reading = isSearch ? searchReading(request, words, known) : rangeReading(request)
  const parts = joined(
    reading.parts.map((rows) => fragment`(${rows})`),
    ' union all ',
  )
  const window = fragment`order by ${order.order} limit ${limit + 1} offset ${offset}`
  const page = isFar
    ? fragment`select ${partColumns} from (select id from (${parts}) parts ${window}) ids
        join tasks using (id) order by ${order.order}`
    : fragment`select * from (${parts}) parts ${window}`
  // The outer join is a loop over one row, which keeps the order of the page.
  const statement = fragment`
    ${reading.preface}
    select totals.*, page.* from (
      select coalesce(max(last_seq), 0) as sequence, ${countsOf(query, reading, known)} as counts,
        ${reading.mergedWasEnough} as merged_was_enough
      from user_counters where user_id = ${userId}) totals
    left join lateral (${page}) page on true`
  return run(sql, statement, (rows: readonly ListRow[]) => {
    const found = rows.filter((row) => row.id !== null)
    const last = found.length > limit ? found[limit - 1] : undefined
    const { sequence, counts, merged_was_enough: wasEnough } = rows[0]!
    const total = counts.reduce((sum, count) => sum + count, 0)
    return {
      remembered: {
        ...{ sequence, counts },
        mergedWalk:
          wasEnough === null ? (known?.mergedWalk ?? 'not tried') : wasEnough ? 'enough' : 'in vain',
      },
      page: {
        items: found.slice(0, limit).map(taskFromRow),
        total: reading.matches ? Math.min(total, COUNTED_MATCHES) : total,
        isTotalExact: reading.matches === null || total <= COUNTED_MATCHES,
        nextCursor: last ? cursorAt(query, placeOfRow(query, last)) : null,
      },
    }
  })
}

function countsOf({ status }: TaskQuery, { matches }: Reading, known: KnownList | undefined): Fragment {
  if (!matches) {
    const active = fragment`coalesce(max(active_tasks), 0)`
    const completed = fragment`coalesce(max(completed_tasks), 0)`
    return fragment`array[${{ all: fragment`${active} + ${completed}`, active, completed }[status]}]`
  }
  const { sequence, counts } = known ?? { sequence: -1, counts: [] }
  const counted = matches.map((rows) => fragment`(select count(*) from (${rows}) matches)`)
  return fragment`case when coalesce(max(last_seq), 0) = ${sequence}::bigint then ${counts}::bigint[]
    else array[${joined(counted, ', ')}] end`
}

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

import type { StartTimer } from '../../app/ports.ts'
import type { TaskReader } from '../../app/tasks/ports.ts'
import type { TaskPage, TaskQuery } from '../../app/tasks/task-query.ts'
import { tagKey } from '../../domain/tasks/task.ts'
import type { Sql } from '../connect.ts'
import { createFairTurns } from '../fair-turns.ts'
import { fragment, run } from '../fragment.ts'
import { nearWords } from './near-words.ts'
import { listTasks, type ListQuery } from './task-reader-list.ts'
import { recentlyUsed } from './task-reader-memory.ts'
import { taskColumns, type KnownList } from './task-reader-ranges.ts'
import {
  fromJson,
  occurrenceFromRow,
  seriesFromRow,
  taskFromRow,
  type OccurrenceRow,
  type SeriesRow,
  type TaskRow,
} from './task-rows.ts'
import { wantedTerms, type Term } from './search-terms.ts'
import { asTyped, respell, type WantedTerms } from './task-search.ts'

/** What is remembered of lists and of misspelt searches takes so much memory each; some 8,000 usual ones. */
const MAX_REMEMBERED_BYTES = 8 * 1024 * 1024
/** Misspelt words are looked up for two users at a time, for each one after the other. */
const SPELLING_TURNS = { atOnce: 2, maxOfUser: 5, maxUsers: 100, maxWaitMs: 5000 }

/** What a misspelt search was taken for; null: nothing came near. */
interface Respelling {
  sequence: number
  terms: WantedTerms | null
}

export function createTaskReader(sql: Sql, startTimer: StartTimer): TaskReader {
  // What these say of tasks is checked against the user's sequence number when it is used, so it is never out of date.
  const lists = recentlyUsed<KnownList>(MAX_REMEMBERED_BYTES)
  const respellings = recentlyUsed<Respelling>(
    MAX_REMEMBERED_BYTES,
    ({ terms }) => terms?.flatMap(({ spellings }) => spellings).join('').length ?? 0,
  )
  const inTurn = createFairTurns(SPELLING_TURNS, startTimer)
  const underWay = new Map<string, ReturnType<typeof nearWords>>()

  async function listOnce(userId: string, query: ListQuery): Promise<{ page: TaskPage; sequence: number }> {
    const key = `${filterKey(userId, query)} ${query.sortBy} ${query.sortOrder}`
    const { page, remembered } = await listTasks(sql, userId, query, lists.get(key))
    // What is overdue changes without a write.
    if (query.due?.is !== 'overdue') lists.set(key, remembered)
    return { page, sequence: remembered.sequence }
  }

  /** Those who ask the same at the same time share the answer. Null when it takes too long; `service.unavailable` when too many ask. */
  function nearWordsOnce(userId: string, terms: readonly Term[]): ReturnType<typeof nearWords> {
    const key = JSON.stringify([userId, terms])
    const shared =
      underWay.get(key) ??
      inTurn(userId, () => nearWords(sql, userId, terms)).finally(() => underWay.delete(key))
    underWay.set(key, shared)
    return shared
  }

  return {
    async get(userId, taskId) {
      const statement = fragment`
        select ${taskColumns}, (select to_jsonb(s) from series s where s.id = t.series_id) as series
        from tasks t where id = ${taskId} and user_id = ${userId} and deleted_at is null`
      return run(sql, statement, ([row]: readonly (TaskRow & { series: SeriesRow | null })[]) => {
        if (!row) return null
        return { task: taskFromRow(row), series: row.series ? seriesFromRow(fromJson(row.series)) : null }
      })
    },

    async list(userId, query) {
      if (query.q === null) return (await listOnce(userId, { ...query, terms: [] })).page
      const terms = wantedTerms(query.q)
      if (terms.length === 0) return nothing
      const key = filterKey(userId, query)
      const known = respellings.get(key)
      if (known?.terms) {
        const { page, sequence } = await listOnce(userId, { ...query, terms: known.terms })
        if (sequence === known.sequence) return page
      }
      const { page, sequence } = await listOnce(userId, { ...query, terms: asTyped(terms) })
      if (page.total > 0 || page.items.length > 0 || known?.sequence === sequence) return page
      if (!terms.some(({ isWord }) => isWord)) return page
      // Nothing has these words: perhaps they are misspelt. Only then another round trip is made, unless somebody who asked
      // the same has made it meanwhile.
      let respelling = respellings.get(key)
      if (respelling?.sequence !== sequence) {
        const near = await nearWordsOnce(userId, terms)
        if (!near) return page
        respelling = { sequence, terms: respell(terms, near) }
        respellings.set(key, respelling)
      }
      if (!respelling.terms) return page
      return (await listOnce(userId, { ...query, terms: respelling.terms })).page
    },

    async tags(userId, { prefix, sort, limit }) {
      const start = tagKey(prefix).replaceAll(/[\\%_]/g, String.raw`\$&`)
      return sql<{ tag: string; active: number; completed: number }[]>`
        select label as tag, active, completed from tags
        where user_id = ${userId} and active + completed > 0 and key like ${`${start}%`}
        order by ${sort === 'usage' ? sql`active + completed desc, key` : sql`key`} limit ${limit}`
    },

    async occurrences(userId, seriesId, limit) {
      const rows = await sql<OccurrenceRow[]>`
        select series_id, occurrence_at, state, task_id, closed_at from occurrences
        where series_id = ${seriesId} and user_id = ${userId} order by occurrence_at desc limit ${limit}`
      return rows.map(occurrenceFromRow)
    },
  }
}

/** The same for every page of a list, in whatever order, as long as the day lasts. */
function filterKey(userId: string, query: TaskQuery): string {
  const { sortBy: _by, sortOrder: _order, page: _page, limit: _limit, cursor: _cursor, ...filter } = query
  const due = filter.due && 'today' in filter.due ? [filter.due.is, filter.due.today] : filter.due
  return JSON.stringify([userId, { ...filter, due }])
}

const nothing: TaskPage = { items: [], total: 0, isTotalExact: true, nextCursor: null }

import type { TaskReader } from '../app/ports.ts'
import type { TaskPage, TaskQuery } from '../app/task-query.ts'
import { tagKey } from '../domain/task.ts'
import type { Sql } from './connect.ts'
import { fragment, run } from './fragment.ts'
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
import { lexemePrefix, respell, searchWords, type WantedWords } from './task-search.ts'

const REMEMBERED_LISTS = 5000
const REMEMBERED_VOCABULARIES = 50
/** Open and completed tasks, the latest changed, whose words make up a vocabulary. */
const TASKS_PER_VOCABULARY = 1500

interface Vocabulary {
  sequence: number
  words: ReadonlySet<string>
}

/** What a misspelt search was taken for. */
interface Respelling {
  sequence: number
  spellings: WantedWords
}

export function createTaskReader(sql: Sql): TaskReader {
  // What these say of tasks is checked against the user's sequence number when it is used, so it is never out of date.
  const lists = recentlyUsed<KnownList>(REMEMBERED_LISTS)
  const vocabularies = recentlyUsed<Vocabulary>(REMEMBERED_VOCABULARIES)
  const respellings = recentlyUsed<Respelling>(REMEMBERED_LISTS)

  async function listOnce(userId: string, query: ListQuery): Promise<{ page: TaskPage; sequence: number }> {
    const key = `${filterKey(userId, query)} ${query.sortBy} ${query.sortOrder}`
    const { page, remembered } = await listTasks(sql, userId, query, lists.get(key))
    lists.set(key, remembered)
    return { page, sequence: remembered.sequence }
  }

  async function vocabularyOf(userId: string, sequence: number): Promise<Vocabulary> {
    const known = vocabularies.get(userId)
    if (known?.sequence === sequence) return known
    const latest = (isOpen: boolean) => sql`(select words from tasks
      where user_id = ${userId} and deleted_at is null and is_open = ${isOpen}
      order by updated_at desc limit ${TASKS_PER_VOCABULARY})`
    const { length } = lexemePrefix(userId, true)
    const rows = await sql<{ word: string }[]>`
      select distinct substr(lexeme, ${length + 1}) as word
      from (${latest(true)} union all ${latest(false)}) t, unnest(tsvector_to_array(words)) lexeme
      where substr(lexeme, ${length + 1}) !~ '[0-9#!]'`
    const vocabulary = { sequence, words: new Set(rows.map((row) => row.word)) }
    vocabularies.set(userId, vocabulary)
    return vocabulary
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
      if (query.q === null) return (await listOnce(userId, { ...query, words: [] })).page
      const words = searchWords(query.q)
      if (words.length === 0) return nothing
      const asTyped = filterKey(userId, query)
      const known = respellings.get(asTyped)
      if (known) {
        const { page, sequence } = await listOnce(userId, { ...query, words: known.spellings })
        if (sequence === known.sequence) return page
      }
      const { page, sequence } = await listOnce(userId, { ...query, words: words.map((word) => [word]) })
      if (page.total > 0 || page.items.length > 0) return page
      // Nothing has these words: perhaps they are misspelt. Only then another round trip is made.
      const spellings = respell(words, (await vocabularyOf(userId, sequence)).words)
      if (!spellings) return page
      const respelt = await listOnce(userId, { ...query, words: spellings })
      respellings.set(asTyped, { sequence: respelt.sequence, spellings })
      return respelt.page
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

/** The same for every page of a list, in whatever order. */
function filterKey(userId: string, query: TaskQuery): string {
  const { sortBy: _by, sortOrder: _order, page: _page, limit: _limit, cursor: _cursor, ...filter } = query
  return JSON.stringify([userId, filter])
}

const nothing: TaskPage = { items: [], total: 0, isTotalExact: true, nextCursor: null }

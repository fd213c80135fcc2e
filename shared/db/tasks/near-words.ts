import postgres from 'postgres'
import type { Sql } from '../connect.ts'
import type { Term } from './search-terms.ts'
import { lexemePrefix, maxEdits } from './task-search.ts'
import { inTransaction } from '../transaction.ts'

/** Of the open and of the completed tasks those changed last make up a user's vocabulary … */
const MAX_TASKS_OF_SIDE = 1500
/** … but no more words of them than these, so that it costs the same whatever the user has written. */
const MAX_LEXEMES = 40_000
const MAX_NEAR_WORDS = 100
/** Of one statement. */
const MAX_TIME_MS = 500

/**
 * For each term those words of the user's vocabulary that may have been meant, itself included, the nearest first. Null when
 * finding them takes too long. The comparing is done by PostgreSQL, in whose process it holds up nobody. Its distance knows no swapped letters, which here are two edits: so
 * the candidates reach twice as far, and the caller has the last word.
 */
export async function nearWords(
  sql: Sql,
  userId: string,
  terms: readonly Term[],
): Promise<string[][] | null> {
  const words = terms.map(({ text }) => text)
  const edits = terms.map(({ text, isWord }) => (isWord ? maxEdits(text) : 0))
  const { length } = lexemePrefix(userId, true)
  try {
    const rows = await inTransaction(sql, async (tx) => {
      const latest = (isOpen: boolean) => tx`(select words, updated_at from tasks
        where user_id = ${userId} and deleted_at is null and is_open = ${isOpen}
        order by updated_at desc limit ${MAX_TASKS_OF_SIDE})`
      // Compiling the statement would take longer than running it.
      await tx`select set_config('statement_timeout', ${String(MAX_TIME_MS)}, true), set_config('jit', 'off', true)`
      return tx<{ place: number; word: string }[]>`
        with lexemes as (
          select substr(lexeme, ${length + 1}) as word
          from (${latest(true)} union all ${latest(false)} order by updated_at desc) latest,
            unnest(tsvector_to_array(words)) lexeme
          limit ${MAX_LEXEMES}),
        vocabulary as materialized (
          select distinct word, char_length(word) as length from lexemes where word !~ '[0-9!=#.@+]'),
        typed as (
          select *, char_length(text) as length, place = ${terms.at(-1)?.isBeginning ? terms.length : 0} as is_unfinished
          from unnest(${words}::text[], ${edits}::integer[]) with ordinality typed (text, edits, place))
        select place, near.word from typed cross join lateral (
          select word from (
            select word, least(levenshtein_less_equal(text, word, 2 * edits), case when is_unfinished
              then levenshtein_less_equal(text, left(word, typed.length), 2 * edits) end) as distance
            from vocabulary
            where length >= typed.length - edits and (is_unfinished or length <= typed.length + edits)) compared
          where distance <= 2 * edits order by distance, word limit ${MAX_NEAR_WORDS}) near
        order by place`
    })
    const near = Map.groupBy(rows, (row) => row.place)
    return terms.map((_term, index) => (near.get(index + 1) ?? []).map(({ word }) => word))
  } catch (error) {
    // Nobody waits longer for the correction of a misspelt word: then nothing was found.
    if (error instanceof postgres.PostgresError && error.code === QUERY_CANCELED) return null
    throw error
  }
}

const QUERY_CANCELED = '57014'

import {
  COUNTED_MATCHES,
  filterOf,
  partColumns,
  sidesOf,
  type ListRequest,
  type Reading,
} from './task-reader-ranges.ts'
import { lexemePrefix, searchQuery, type WantedWords } from './task-search.ts'

/** To fetch so many by the index costs less than the walk. */
const FEW = 200

/**
 * Reads tasks that hold words and tags. What many tasks hold is soon met by walking the list in its order; what few hold
 * is found fast by the index of words, which knows no order. Which of the two it is nobody can tell beforehand (the
 * planner's statistics know words, not what a word means to one user), so the walk goes a short way and the index is
 * asked only if that was too short for the page. Neither depends on what the planner believes. Where few matches were
 * counted the last time the walk is left out: a guess that can cost time, never a task.
 */
export function searchReading(
  { sql, userId, query, order, reach }: ListRequest,
  words: WantedWords,
  lastCounts: readonly number[],
): Reading {
  const filter = filterOf(sql, query) ?? sql``
  const walkLength = 1000 + 20 * reach
  const columns = partColumns(sql)
  const sides = sidesOf(query).map((isOpen, side) => {
    const wereFew = (lastCounts[side] ?? Infinity) <= FEW
    const text = searchQuery(lexemePrefix(userId, isOpen), { ...query, words })
    const holds = sql`words @@ (select lower(${text}::text collate pg_c_utf8)::tsquery)`
    const found = sql(isOpen ? 'found_open' : 'found_completed')
    const walks = (wereFew ? [] : order.stretches).map((stretch, index) => ({
      ...stretch,
      name: sql(`walk_${isOpen ? 'open' : 'completed'}_${index}`),
      gate: sql(`gate_${isOpen ? 'open' : 'completed'}_${index}`),
      rows: sql`from tasks where user_id = ${userId} and deleted_at is null and is_open = ${isOpen} ${stretch.where}
        order by ${stretch.order}`,
    }))
    return { holds, found, walks, wereFew }
  })
  // A lexeme is of one user but for a few whose ids end alike, so the index needs no other condition; offset 0 keeps the
  // planner from adding one.
  const tables = sides.flatMap(({ holds, found, walks }) => [
    sql`${found} as materialized (select ${columns}
      from (select * from tasks where ${holds} and deleted_at is null offset 0) matches
      where user_id = ${userId} ${filter})`,
    ...walks.map(
      ({ name, gate, rows }) => sql`${name} as materialized (select ${columns}
          from (select * ${rows} limit ${walkLength}) walk where ${holds} ${filter} limit ${reach}),
        ${gate} as materialized (select case when count(*) < ${reach}
          then (select count(*) from (select 1 ${rows} limit ${walkLength + 1}) longer) > ${walkLength}
          else false end as was_too_short from ${name})`,
    ),
  ])
  return {
    preface: sql`with ${tables.reduce((all, table) => sql`${all}, ${table}`)}`,
    parts: sides.flatMap(({ found, walks, wereFew }) =>
      wereFew
        ? order.stretches.map(
            (stretch) =>
              sql`select * from ${found} where true ${stretch.where} order by ${stretch.order} limit ${reach}`,
          )
        : walks.map(
            ({ name, gate, where, order: itsOrder }) => sql`
          select * from ${name} where not (select was_too_short from ${gate})
          union all (select * from ${found} where (select was_too_short from ${gate}) ${where}
            order by ${itsOrder} limit ${reach})`,
          ),
    ),
    matches: sides.map(({ found }) => sql`select 1 from ${found} limit ${COUNTED_MATCHES + 1}`),
  }
}

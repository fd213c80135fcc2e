import { fragment, joined, verbatim, type Fragment } from './fragment.ts'
import {
  COUNTED_MATCHES,
  filterOf,
  partColumns,
  storedColumns,
  priorityRanges,
  sidesOf,
  type ListRequest,
  type Reading,
} from './task-reader-ranges.ts'
import type { Stretch } from './task-reader-order.ts'
import { lexemePrefix, searchQuery, type WantedWords } from './task-search.ts'

/** To fetch so many by the index costs less than the walk. */
const FEW = 200

/**
 * Reads tasks that hold words and tags; a wanted priority is looked for like a tag. What many tasks hold is soon met by
 * walking the list in its order; what few hold is found fast by the index of words, which knows no order. Which of the
 * two it is nobody can tell beforehand (the planner's statistics know words, not what a word means to one user), so the
 * walk goes a short way and the index is asked only if that was too short for the page. Neither depends on what the
 * planner believes. Where few matches were counted the last time the walk is left out: a guess that can cost time, never
 * a task.
 */
export function searchReading(
  request: ListRequest,
  words: WantedWords,
  lastCounts: readonly number[],
): Reading {
  const { userId, query, order, reach } = request
  const filter = filterOf(query) ?? fragment``
  const sides = sidesOf(query).map<Side>((isOpen, side) => ({
    isOpen,
    text: searchQuery(lexemePrefix(userId, isOpen), { ...query, words }),
    found: isOpen ? fragment`found_open` : fragment`found_completed`,
    wereFew: (lastCounts[side] ?? Infinity) <= FEW,
  }))
  const walkLength = 1000 + 20 * reach
  const walks = walksOf(
    request,
    sides.filter(({ wereFew }) => !wereFew),
    walkLength,
  )
  // A lexeme is of one user but for a few whose ids end alike, so the index needs no other condition; offset 0 keeps the
  // planner from adding one.
  const tables = [
    ...sides.map(
      ({ found, text }) => fragment`${found} as materialized (select ${partColumns}
        from (select * from tasks where ${holds(text)} and deleted_at is null offset 0) matches
        where user_id = ${userId} ${filter})`,
    ),
    ...walks.flatMap(({ name, gate, rows, text }) => [
      fragment`${name} as materialized (select ${partColumns}
        from (select * ${rows} limit ${walkLength}) walk where ${holds(text)} ${filter} limit ${reach})`,
      fragment`${gate} as materialized (select case when count(*) < ${reach}
        then (select count(*) from (select 1 ${rows} limit ${walkLength + 1}) longer) > ${walkLength}
        else false end as was_too_short from ${name})`,
    ]),
  ]
  const fewOf = sides.filter(({ wereFew }) => wereFew)
  return {
    preface: fragment`with ${joined(tables, ', ')}`,
    parts: [
      ...fewOf.flatMap(({ found }) =>
        order.stretches.map(
          (stretch) =>
            fragment`select * from ${found} where true ${stretch.where} order by ${stretch.order} limit ${reach}`,
        ),
      ),
      ...walks.flatMap(({ name, gate, sides: walked, range, stretch }) => [
        fragment`select * from ${name} where not (select was_too_short from ${gate})`,
        ...walked.map(
          ({
            found,
          }) => fragment`select * from ${found} where (select was_too_short from ${gate}) ${range} ${stretch.where}
            order by ${stretch.order} limit ${reach}`,
        ),
      ]),
    ],
    matches: sides.map(({ found }) => fragment`select 1 from ${found} limit ${COUNTED_MATCHES + 1}`),
  }
}

/** Open or completed tasks. */
interface Side {
  isOpen: boolean
  /** What they must hold, as a tsquery that is still to be put in lower case. */
  text: string
  /** The table of those that hold it. */
  found: Fragment
  wereFew: boolean
}

interface Walk {
  sides: readonly Side[]
  range: Fragment
  stretch: Stretch
  name: Fragment
  gate: Fragment
  text: string
  rows: Fragment
}

/**
 * The walks that together go through the list. Where they can, PostgreSQL merges the open and the completed tasks as it
 * goes, so that no more is read than the page needs. Each wanted priority is walked by itself, so that others are not met.
 */
function walksOf({ userId, query, order }: ListRequest, sides: readonly Side[], walkLength: number): Walk[] {
  const ranges = priorityRanges(query)?.map((range) => fragment`and ${range}`)
  // Titles are ordered by an expression, which PostgreSQL does not know how to merge by.
  const together =
    ranges || query.sortBy === 'title' || sides.length === 0 ? sides.map((side) => [side]) : [sides]
  const groups = together.flatMap((walked) =>
    (ranges ?? [fragment``]).map((range) => ({ sides: walked, range })),
  )
  return groups.flatMap(({ sides: walked, range }, group) =>
    order.stretches.map((stretch, index) => {
      const runs = walked.map(
        ({ isOpen }) => fragment`(select ${storedColumns}, words from tasks
          where user_id = ${userId} and deleted_at is null and is_open = ${isOpen} ${range} ${stretch.where}
          order by ${stretch.order} limit ${walkLength + 1})`,
      )
      return {
        ...{ sides: walked, range, stretch },
        ...{ name: verbatim(`walk_${group}_${index}`), gate: verbatim(`gate_${group}_${index}`) },
        text: walked.map(({ text }) => `(${text})`).join(' | '),
        rows:
          runs.length === 1
            ? fragment`from ${runs[0]!} list`
            : fragment`from (${joined(runs, ' union all ')}) list order by ${stretch.order}`,
      }
    }),
  )
}

const holds = (text: string): Fragment =>
  fragment`words @@ (select lower(${text}::text collate pg_c_utf8)::tsquery)`

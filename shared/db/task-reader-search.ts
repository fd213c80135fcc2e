import { fragment, joined, verbatim, type Fragment } from './fragment.ts'
import {
  COUNTED_MATCHES,
  filterOf,
  partColumns,
  storedColumns,
  priorityRanges,
  sidesOf,
  type KnownCounts,
  type ListRequest,
  type Reading,
} from './task-reader-ranges.ts'
import type { Stretch } from './task-reader-order.ts'
import { lexemePrefix, searchQuery, type WantedWords } from './task-search.ts'

/** To fetch so many by the index costs less than a long walk. */
const FEW = 200

/**
 * Reads tasks that hold words and tags; a wanted priority is looked for like a tag. What many tasks hold is soon met by
 * walking the list in its order; what few hold is found fast by the index of words, which knows no order. Which of the
 * two it is nobody can tell beforehand (the planner's statistics know words, not what a word means to one user), so the
 * walk goes a short way and the index is asked only if that was too short for the page. Neither depends on what the
 * planner believes. Where the walk was too short the last time, or is now to go to the end of the list, open and
 * completed tasks are read apart, and the side with few matches by the index alone: a guess that can cost time, never a
 * task.
 */
export function searchReading(
  request: ListRequest,
  words: WantedWords,
  known: KnownCounts | undefined,
): Reading {
  const { userId, query, order, reach } = request
  const filter = filterOf(query) ?? fragment``
  const counts = known?.counts ?? [Infinity]
  const isLong = (known?.wasLong ?? false) || counts.reduce((sum, count) => sum + count, 0) < reach
  const sides = sidesOf(query).map<Side>((isOpen, side) => ({
    isOpen,
    text: searchQuery(lexemePrefix(userId, isOpen), { ...query, words }),
    found: isOpen ? fragment`found_open` : fragment`found_completed`,
    isWalked: !isLong || counts[side]! > FEW,
  }))
  const walked = sides.filter(({ isWalked }) => isWalked)
  // Titles are ordered by an expression, which PostgreSQL does not know how to merge by.
  const isMerged = !isLong && query.sortBy !== 'title'
  const walkLength = 1000 + 20 * reach
  const walks = walksOf(request, isMerged ? [walked] : walked.map((side) => [side]), walkLength)
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
  const looked = sides.filter(({ isWalked }) => !isWalked)
  return {
    preface: fragment`with ${joined(tables, ', ')}`,
    parts: [
      ...looked.flatMap(({ found }) =>
        order.stretches.map(
          (stretch) =>
            fragment`select * from ${found} where true ${stretch.where} order by ${stretch.order} limit ${reach}`,
        ),
      ),
      ...walks.flatMap(({ name, gate, sides: together, range, stretch }) => [
        fragment`select * from ${name} where not (select was_too_short from ${gate})`,
        ...together.map(
          ({
            found,
          }) => fragment`select * from ${found} where (select was_too_short from ${gate}) ${range} ${stretch.where}
            order by ${stretch.order} limit ${reach}`,
        ),
      ]),
    ],
    matches: sides.map(({ found }) => fragment`select 1 from ${found} limit ${COUNTED_MATCHES + 1}`),
    wasTooShort: joined(
      [fragment`false`, ...walks.map(({ gate }) => fragment`(select was_too_short from ${gate})`)],
      ' or ',
    ),
  }
}

/** Open or completed tasks. */
interface Side {
  isOpen: boolean
  /** What they must hold, as a tsquery that is still to be put in lower case. */
  text: string
  /** The table of those that hold it. */
  found: Fragment
  /** Else the index of words is asked at once. */
  isWalked: boolean
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
 * The walks that together go through the list. PostgreSQL merges the sides that are walked together as it goes, so that
 * no more is read than the page needs. Each wanted priority is walked by itself, so that others are not met.
 */
function walksOf(
  { userId, query, order }: ListRequest,
  sides: readonly (readonly Side[])[],
  walkLength: number,
): Walk[] {
  const ranges = priorityRanges(query)
  const groups = sides.flatMap((walked) =>
    (ranges?.map((range) => fragment`and ${range}`) ?? [fragment``]).map((range) => ({
      sides: walked,
      range,
    })),
  )
  return groups.flatMap(({ sides: walked, range }, group) =>
    order.stretches.map((stretch, index) => {
      const runOrder = ranges ? stretch.orderOfOne : stretch.order
      const runs = walked.map(
        ({ isOpen }) => fragment`(select ${storedColumns}, words from tasks
          where user_id = ${userId} and deleted_at is null and is_open = ${isOpen} ${range} ${stretch.where}
          order by ${runOrder} limit ${walkLength + 1})`,
      )
      return {
        ...{ sides: walked, range, stretch },
        ...{ name: verbatim(`walk_${group}_${index}`), gate: verbatim(`gate_${group}_${index}`) },
        text: walked.map(({ text }) => `(${text})`).join(' | '),
        rows:
          runs.length === 1
            ? fragment`from ${runs[0]!} list`
            : fragment`from (${joined(runs, ' union all ')}) list order by ${runOrder}`,
      }
    }),
  )
}

const holds = (text: string): Fragment =>
  fragment`words @@ (select lower(${text}::text collate pg_c_utf8)::tsquery)`

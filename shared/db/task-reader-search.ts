import { fragment, joined, verbatim, type Fragment } from './fragment.ts'
import {
  COUNTED_MATCHES,
  filterOf,
  partColumns,
  storedColumns,
  priorityRanges,
  sidesOf,
  type KnownList,
  type ListRequest,
  type Reading,
} from './task-reader-ranges.ts'
import { lexemePrefix, searchQuery, type WantedWords } from './task-search.ts'

/** To fetch so many by the index costs less than to walk until a page is full. */
const FEW = 200

/**
 * Reads tasks that hold words and tags; a wanted priority is looked for like a tag. What many tasks hold is soon met by
 * walking the list in its order; what few hold is found fast by the index of words, which knows no order. Which of the
 * two it is nobody can tell beforehand (the planner's statistics know words, not what a word means to one user), so the
 * walk goes a short way and the next way is tried only if that was too short for the page: first open and completed tasks
 * together, then each by itself, then the index. None depends on what the planner believes. What is known of the last
 * time leaves out what was in vain then, or was not needed: a guess that can cost time, never a task.
 */
export function searchReading(
  request: ListRequest,
  words: WantedWords,
  known: KnownList | undefined,
): Reading {
  const { userId, query, reach } = request
  const filter = filterOf(query) ?? fragment``
  const sides = sidesOf(query).map<Side>((isOpen, side) => {
    const found = isOpen ? fragment`found_open` : fragment`found_completed`
    return {
      ...{ isOpen, found },
      text: searchQuery(lexemePrefix(userId, isOpen), { ...query, words }),
      matches: exact(known?.counts[side]),
      // They are counted for the total anyway.
      areMany: known
        ? fragment`true`
        : fragment`(select count(*) > ${FEW} from (select 1 from ${found} limit ${FEW + 1}) few)`,
    }
  })
  const total = sides.reduce((sum, { matches }) => sum + matches, 0)
  // Titles are ordered by an expression, which PostgreSQL does not know how to merge by.
  const canMerge = sides.length > 1 && query.sortBy !== 'title'
  const isMerged = canMerge && total > FEW && total >= reach && known?.mergedWalk !== 'in vain'
  const isApart = !isMerged || known?.mergedWalk !== 'enough'
  const stretches = stretchesOf(request)
  const merged = isMerged ? stretches.map((stretch) => walkOf(request, stretch, sides)) : []
  const apart = sides.map((side) =>
    isApart && side.matches > FEW ? stretches.map((stretch) => walkOf(request, stretch, [side])) : [],
  )
  // A lexeme is of one user but for a few whose ids end alike, so the index needs no other condition; offset 0 keeps the
  // planner from adding one.
  const tables = [
    ...sides.map(
      ({ found, text }) => fragment`${found} as materialized (select ${partColumns}
        from (select * from tasks where ${holds(text)} and deleted_at is null offset 0) matches
        where user_id = ${userId} ${filter})`,
    ),
    ...[...merged, ...apart.flat()].flatMap((walk) => tablesOf(walk, request)),
  ]
  const parts = stretches.flatMap((stretch, index) => {
    const together = merged[index]
    return [
      ...(together ? [fragment`select * from ${together.name} where ${wasEnough(together)}`] : []),
      ...sides.flatMap((side, nth) => {
        const isNext = together ? fragment`not ${wasEnough(together)}` : fragment`true`
        const walk = apart[nth]?.[index]
        const isFull = walk ? fragment`${side.areMany} and ${wasEnough(walk)}` : fragment`false`
        return [
          ...(walk ? [fragment`select * from ${walk.name} where ${isNext} and ${isFull}`] : []),
          fragment`select * from ${side.found} where ${isNext} and not (${isFull}) ${stretch.where}
            order by ${stretch.order} limit ${reach}`,
        ]
      }),
    ]
  })
  return {
    preface: fragment`with ${joined(tables, ', ')}`,
    parts,
    matches: sides.map(({ found }) => fragment`select 1 from ${found} limit ${COUNTED_MATCHES + 1}`),
    mergedWasEnough: isMerged ? joined(merged.map(wasEnough), ' and ') : fragment`null::boolean`,
  }
}

/** Open or completed tasks. */
interface Side {
  isOpen: boolean
  /** What they must hold, as a tsquery that is still to be put in lower case. */
  text: string
  /** The table of those that hold it. */
  found: Fragment
  /** How many there were the last time; infinite where that is not known. */
  matches: number
  /** A condition: too many for the index. Of what is not known it is found out; what is known to be few is not walked. */
  areMany: Fragment
}

/** Beyond COUNTED_MATCHES nothing is counted. */
const exact = (count = Infinity): number => (count > COUNTED_MATCHES ? Infinity : count)

/** A part of the list that is walked by itself: also one priority, where some are wanted, so that others are not met. */
interface SearchedStretch {
  name: string
  where: Fragment
  order: Fragment
  /** The same order, as PostgreSQL can merge two sides by it. */
  walkOrder: Fragment
}

function stretchesOf({ query, order }: ListRequest): SearchedStretch[] {
  const ranges = priorityRanges(query)
  return order.stretches.flatMap(({ where, order: inOrder, orderOfOne = inOrder }, index) =>
    ranges
      ? ranges.map((range, nth) => ({
          ...{ name: `${index}_${nth}`, where: fragment`and ${range} ${where}` },
          ...{ order: inOrder, walkOrder: orderOfOne },
        }))
      : [{ name: String(index), where, order: inOrder, walkOrder: inOrder }],
  )
}

/** The first tasks of a stretch that hold what is looked for. */
interface Walk {
  /** The table of them, and the one that says whether they are all that the page can need of the stretch. */
  name: Fragment
  gate: Fragment
  text: string
  rows: Fragment
}

const lengthOf = ({ reach }: ListRequest): number => 1000 + 20 * reach

/** PostgreSQL merges the sides as it goes, so that no more is read than the page needs. */
function walkOf(request: ListRequest, stretch: SearchedStretch, sides: readonly Side[]): Walk {
  const name = `${sides.map(({ isOpen }) => (isOpen ? 'open' : 'completed')).join('_')}_${stretch.name}`
  const runs = sides.map(
    ({ isOpen }) => fragment`(select ${storedColumns}, words from tasks
      where user_id = ${request.userId} and deleted_at is null and is_open = ${isOpen} ${stretch.where}
      order by ${stretch.walkOrder} limit ${lengthOf(request) + 1})`,
  )
  return {
    ...{ name: verbatim(`walk_${name}`), gate: verbatim(`gate_${name}`) },
    text: sides.map(({ text }) => `(${text})`).join(' | '),
    rows:
      runs.length === 1
        ? fragment`from ${runs[0]!} list`
        : fragment`from (${joined(runs, ' union all ')}) list order by ${stretch.walkOrder}`,
  }
}

function tablesOf({ name, gate, text, rows }: Walk, request: ListRequest): Fragment[] {
  const { query, reach } = request
  const length = lengthOf(request)
  return [
    fragment`${name} as materialized (select ${partColumns} from (select * ${rows} limit ${length}) walk
      where ${holds(text)} ${filterOf(query) ?? fragment``} limit ${reach})`,
    fragment`${gate} as materialized (select case when count(*) < ${reach}
      then (select count(*) from (select 1 ${rows} limit ${length + 1}) longer) <= ${length}
      else true end as was_enough from ${name})`,
  ]
}

const wasEnough = ({ gate }: Walk): Fragment => fragment`(select was_enough from ${gate})`

const holds = (text: string): Fragment =>
  fragment`words @@ (select lower(${text}::text collate pg_c_utf8)::tsquery)`

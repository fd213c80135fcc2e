import { fragment, joined, verbatim, type Fragment } from '../fragment.ts'
import {
  COUNTED_MATCHES,
  filterOf,
  holds,
  NOT_KNOWN,
  priorityRanges,
  sidesOf,
  storedColumns,
  type KnownList,
  type ListRequest,
  type Reading,
} from './task-reader-ranges.ts'
import { lexemePrefix, searchQuery } from './task-search.ts'

/** To fetch so many by the index costs less than to scan until a page is full. */
const SMALL_RESULT = 200

/**
 * Reads tasks that hold words and tags; a wanted priority is looked for like a tag. What many tasks hold is soon met by
 * scanning the list in its order; what few hold is found fast by the index of words, which knows no order. Which of the
 * two it is nobody can tell beforehand (the planner's statistics know words, not what a word means to one user), so the
 * statement holds both ways, and the scan goes a short way: what it leaves the page short of, the index finds. What is
 * known to be few from the last time is not scanned, nor is a side of which few match where the scan of both was in vain: a
 * guess that can cost time, never a task.
 */
export function searchReading(request: ListRequest, known: KnownList | undefined): Reading {
  const { userId, query, terms } = request
  const sides = sidesOf(query).map<Side>((isOpen, index) => ({
    isOpen,
    found: isOpen ? fragment`found_open` : fragment`found_completed`,
    text: searchQuery(lexemePrefix(userId, isOpen), { ...query, terms }),
    isScanned: isScanned(known, index),
  }))
  const tables = sides.map((side) => foundTable(request, side))
  const parts: Fragment[] = []
  const scans: Fragment[] = []
  for (const segment of searchedSegments(request, sides)) {
    const scanned = segment.sides.filter(({ isScanned }) => isScanned)
    let isNeeded = fragment`true`
    if (scanned.length > 0) {
      const scan = scanOf(request, segment, scanned)
      tables.push(...scan.tables)
      scans.push(scan.wasEnough)
      // They are counted for the total anyway.
      const isEnough = known ? scan.wasEnough : fragment`${areMany(scanned)} and ${scan.wasEnough}`
      parts.push(fragment`select * from ${scan.name} where ${isEnough}`)
      isNeeded = fragment`not (${isEnough})`
    }
    for (const side of segment.sides) {
      parts.push(sorted(request, side, segment, side.isScanned ? isNeeded : fragment`true`))
    }
  }
  return {
    preface: fragment`with ${joined(tables, ', ')}`,
    parts,
    matches: sides.map(({ found }) => fragment`select 1 from ${found} limit ${COUNTED_MATCHES + 1}`),
    wasScanEnough: sides.every((side) => side.isScanned) ? joined(scans, ' and ') : NOT_KNOWN,
    hasOnePlan: true,
  }
}

function isScanned(known: KnownList | undefined, side: number): boolean {
  if (!known) return true
  const total = known.counts.reduce((sum, count) => sum + count, 0)
  return (known.wasScanEnough === false ? known.counts[side]! : total) > SMALL_RESULT
}

/** Open or completed tasks. */
interface Side {
  isOpen: boolean
  /** What they must hold, as a tsquery. */
  text: string
  /** The table of those that hold it. */
  found: Fragment
  isScanned: boolean
}

interface SearchedSegment {
  name: string
  where: Fragment
  order: Fragment
  sides: Side[]
}

function searchedSegments({ query, order }: ListRequest, sides: readonly Side[]): SearchedSegment[] {
  const ranges = priorityRanges(query)?.map((range) => fragment`and ${range}`) ?? [fragment``]
  return order.segments.flatMap((segment, index) =>
    ranges.map((range, nth) => ({
      name: `${index}_${nth}`,
      where: fragment`${range} ${segment.where}`,
      order: segment.order,
      sides: sides.filter(({ isOpen }) => segment.isOpen === undefined || segment.isOpen === isOpen),
    })),
  )
}

/**
 * All tasks of the side that hold what is looked for, by the index of words. A lexeme is of one user but for a few whose
 * ids end alike, so the index needs no other condition; offset 0 keeps the planner from adding one.
 */
function foundTable({ userId, query }: ListRequest, { found, text }: Side): Fragment {
  return fragment`${found} as materialized (select ${storedColumns}
    from (select * from tasks where ${holds(text)} and deleted_at is null offset 0) matches
    where user_id = ${userId} ${filterOf(query) ?? fragment``})`
}

const sorted = (
  { pageEnd }: ListRequest,
  { found }: Side,
  { where, order }: SearchedSegment,
  when: Fragment,
) => fragment`select * from ${found} where ${when} ${where} order by ${order} limit ${pageEnd}`

function areMany(sides: readonly Side[]): Fragment {
  const few = sides.map(({ found }) => fragment`(select 1 from ${found} limit ${SMALL_RESULT + 1})`)
  return fragment`(select count(*) > ${SMALL_RESULT} from (${joined(few, ' union all ')}) few)`
}

/**
 * The tasks that match at the beginning of a segment, and whether they are all that the page can need of it. The sides are
 * merged as they are scanned, so that no more is read than one list takes.
 */
function scanOf({ userId, query, pageEnd }: ListRequest, segment: SearchedSegment, sides: readonly Side[]) {
  const length = 1000 + 20 * pageEnd
  const { order, where } = segment
  const suffix = [...sides.map(({ isOpen }) => (isOpen ? 'open' : 'completed')), segment.name].join('_')
  const name = verbatim(`scan_${suffix}`)
  const sufficiency = verbatim(`sufficiency_${suffix}`)
  const runs = sides.map(
    ({ isOpen }) => fragment`(select ${storedColumns}, words from tasks
      where user_id = ${userId} and deleted_at is null and is_open = ${isOpen} ${where}
      order by ${order} limit ${length + 1})`,
  )
  // Said again, so that PostgreSQL knows by what it need not sort the merged sides.
  const rows = fragment`from (${joined(runs, ' union all ')}) list where true ${where} order by ${order}`
  const text = sides.map((side) => `(${side.text})`).join(' | ')
  return {
    name,
    wasEnough: fragment`(select was_enough from ${sufficiency})`,
    tables: [
      fragment`${name} as materialized (select ${storedColumns} from (select * ${rows} limit ${length}) scan
        where ${holds(text)} ${filterOf(query) ?? fragment``} limit ${pageEnd})`,
      fragment`${sufficiency} as materialized (select case when count(*) < ${pageEnd}
        then (select count(*) from (select 1 ${rows} limit ${length + 1}) longer) <= ${length}
        else true end as was_enough from ${name})`,
    ],
  }
}

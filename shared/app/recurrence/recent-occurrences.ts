import type { Occurrence, Series } from '../../domain/recurrence/series.ts'
import { slotAt } from '../../domain/recurrence/slots.ts'
import type { ChangeStore } from '../ports.ts'

/** Read at a time; usually the first few are all there are. */
const PAGE = 500

/**
 * The occurrence from which a series goes on, which is the one closed last, and every one that lies after it or after
 * its closing: all whose instants a next occurrence could hit. Earliest first.
 */
export async function recentOccurrences(
  store: Pick<ChangeStore, 'lastClosed' | 'loadOccurrences'>,
  series: Series,
): Promise<Occurrence[]> {
  // Closing it was the last change of a series that waits; one that stands by itself may have been closed since.
  const changedAt = series.liveTaskId === null ? series.updatedAt : null
  const last = await store.lastClosed(series.id, changedAt)
  const bounds = last
    ? [last.occurrenceAt, slotAt(last.closedAt!, series)]
    : [series.startAt, ...series.rdates]
  let from = new Date(Math.min(...bounds.map(Number)))
  const found: Occurrence[] = []
  for (;;) {
    const page = await store.loadOccurrences(series.id, from, PAGE)
    found.push(...page)
    if (page.length < PAGE) return found
    from = new Date(page.at(-1)!.occurrenceAt.getTime() + 1)
  }
}

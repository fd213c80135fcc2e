import type { Occurrence, Series } from '../domain/series.ts'
import type { ChangeStore } from './ports.ts'

/** Read at a time; usually the first few are all there are. */
const PAGE = 500

/**
 * The occurrence of a series that was closed at this instant (or, where there is none, the one closed last), and every
 * one that lies after it or after its closing: all whose instants a next occurrence could hit. Earliest first.
 */
export async function recentOccurrences(
  store: Pick<ChangeStore, 'lastClosed' | 'loadOccurrences'>,
  series: Series,
  closedAt: Date | null,
): Promise<Occurrence[]> {
  const last = await store.lastClosed(series.id, closedAt)
  const bounds = last ? [last.occurrenceAt, last.closedAt!] : [series.startAt, ...series.rdates]
  let from = new Date(Math.min(...bounds.map(Number)))
  const found: Occurrence[] = []
  for (;;) {
    const page = await store.loadOccurrences(series.id, from, PAGE)
    found.push(...page)
    if (page.length < PAGE) return found
    from = new Date(page.at(-1)!.occurrenceAt.getTime() + 1)
  }
}

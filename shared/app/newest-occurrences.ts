import { lastClosed } from '../domain/last-occurrence.ts'
import { OCCURRENCE_STATES, type Occurrence } from '../domain/series.ts'
import type { ChangeStore } from './ports.ts'

const USUALLY = 50
/** More than are ever recorded as missed at one time. */
const AT_MOST = 2000

/** The newest occurrences of a series, back to the one that was closed last. */
export async function newestOccurrences(
  store: Pick<ChangeStore, 'loadOccurrences'>,
  seriesId: string,
): Promise<Occurrence[]> {
  const newest = await store.loadOccurrences(seriesId, OCCURRENCE_STATES, USUALLY)
  if (newest.length < USUALLY || lastClosed(newest)) return newest
  return store.loadOccurrences(seriesId, OCCURRENCE_STATES, AT_MOST)
}

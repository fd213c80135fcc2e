import { createNextOccurrence } from './create-next-occurrence.ts'
import type { Deps, WaitingSeries } from './ports.ts'

/** Younger gaps are ordinary: the completion's event is still on its way. */
const IDLE_MS = 60_000
const BATCH = 100

/**
 * Gives every active series that has been without an open occurrence its next one, and counts what it had to repair.
 * Those that cannot be repaired are passed by, however many they are.
 */
export async function sweepSeries(deps: Deps): Promise<number> {
  const idleSince = new Date(deps.clock.now().getTime() - IDLE_MS)
  let repaired = 0
  let after: WaitingSeries | null = null
  do {
    const found: WaitingSeries[] = await deps.sweep.withoutLiveTask(idleSince, after, BATCH)
    for (const series of found) if (await repair(deps, series)) repaired += 1
    after = found.length < BATCH ? null : found.at(-1)!
  } while (after)
  if (repaired > 0) deps.log.warn({ repaired }, 'series without an open occurrence repaired')
  return repaired
}

async function repair(deps: Deps, { userId, seriesId }: WaitingSeries): Promise<boolean> {
  const { commit } = deps.changes
  try {
    return await createNextOccurrence(deps, { userId, seriesId, trace: null, madeBy: 'sweep', commit })
  } catch (err) {
    // One series that cannot be repaired must not keep the others waiting; the next sweep tries it again.
    deps.log.error({ err, series_id: seriesId }, 'series could not be repaired')
    return false
  }
}

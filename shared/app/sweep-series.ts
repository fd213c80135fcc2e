import { createNextOccurrence } from './create-next-occurrence.ts'
import type { Deps } from './ports.ts'

/** Younger gaps are ordinary: the completion's event is still on its way. */
const IDLE_MS = 60_000
const BATCH = 100

/** Gives every active series that has been without an open occurrence its next one, and counts what it had to repair. */
export async function sweepSeries(deps: Deps): Promise<number> {
  const idleSince = new Date(deps.clock.now().getTime() - IDLE_MS)
  let repaired = 0
  for (;;) {
    const found = await deps.sweep.withoutLiveTask(idleSince, BATCH)
    let progress = 0
    for (const series of found) if (await repair(deps, series)) progress += 1
    repaired += progress
    if (found.length < BATCH || progress === 0) break
  }
  if (repaired > 0) deps.log.warn({ repaired }, 'series without an open occurrence repaired')
  return repaired
}

async function repair(deps: Deps, series: { userId: string; seriesId: string }): Promise<boolean> {
  const { commit } = deps.changes
  try {
    return await createNextOccurrence(deps, { ...series, trace: null, madeBy: 'sweep', commit })
  } catch (err) {
    // One series that cannot be repaired must not keep the others waiting; the next sweep tries it again.
    deps.log.error({ err, series_id: series.seriesId }, 'series could not be repaired')
    return false
  }
}

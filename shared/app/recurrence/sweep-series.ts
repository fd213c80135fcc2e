import type { MadeBy } from '../../domain/actor.ts'
import { createNextOccurrence, type Making } from './create-next-occurrence.ts'
import type { Deps } from '../ports.ts'
import type { WaitingSeries } from './ports.ts'

type Sweeping = Making & Pick<Deps, 'waitingSeries' | 'log'>

/** Younger gaps are ordinary: the completion's event is still on its way. */
const IDLE_MS = 60_000
const BATCH = 100
/** So many of a user are repaired before anybody else's wait behind them. */
const SHARE = 10
/** Those of users who have had their share are repaired at the end, or by the next sweep. */
const MAX_DEFERRED = 10_000

/**
 * Gives every active series that has been without an open occurrence its next one, and counts what it had to repair.
 * Those that cannot be repaired are passed by, however many they are.
 */
export async function sweepSeries(deps: Sweeping, madeBy: MadeBy): Promise<number> {
  const idleSince = new Date(deps.clock.now().getTime() - IDLE_MS)
  let repaired = 0
  const turns = new Map<string, number>()
  const deferred: WaitingSeries[] = []
  let after: WaitingSeries | null = null
  do {
    const found: WaitingSeries[] = await deps.waitingSeries.withoutLiveTask(idleSince, after, BATCH)
    for (const series of found) {
      const turn = (turns.get(series.userId) ?? 0) + 1
      turns.set(series.userId, turn)
      if (turn <= SHARE) repaired += Number(await repair(deps, series, madeBy))
      else if (deferred.length < MAX_DEFERRED) deferred.push(series)
    }
    after = found.length < BATCH ? null : found.at(-1)!
  } while (after)
  for (const series of deferred) repaired += Number(await repair(deps, series, madeBy))
  if (repaired > 0) deps.log.warn({ repaired }, 'repaired series without an open occurrence')
  return repaired
}

async function repair(deps: Sweeping, { userId, seriesId }: WaitingSeries, madeBy: MadeBy): Promise<boolean> {
  const { commit } = deps.changes
  try {
    return await createNextOccurrence(deps, { userId, seriesId, trace: null, madeBy, commit })
  } catch (err) {
    // One series that cannot be repaired must not keep the others waiting; the next sweep tries it again.
    deps.log.error({ err, series_id: seriesId }, 'failed to repair series')
    return false
  }
}

import { DAY_MS } from '../../domain/durations.ts'
import type { Deps } from '../ports.ts'

/** Leaves of the tree, each of what one user did between two checkpoints. */
const BATCH = 50

/** Removes entries that are older than they are to be kept; the chains still verify. */
export async function pruneAudit({
  auditTrail,
  clock,
  settings,
}: Pick<Deps, 'auditTrail' | 'clock' | 'settings'>): Promise<void> {
  const olderThan = new Date(clock.now().getTime() - settings.auditDays * DAY_MS)
  while ((await auditTrail.prune(olderThan, BATCH)) === BATCH) continue
}

import type { MadeBy } from '../../domain/actor.ts'
import { decideRelease } from '../../domain/notifications/release-held.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import { newClaim } from '../new-claim.ts'
import type { Deps } from '../ports.ts'

const LEASE_MS = 30_000
/** Notifications of one user at a time: what is more comes in another digest. */
const MAX_AT_ONCE = 500
const LANES = 4

type HeldOfUser = Parameters<typeof decideRelease>[0]
type Releasing = Pick<Deps, 'changes' | 'clock' | 'ids' | 'log' | 'publishing' | 'deliveries'>

/**
 * Releases what quiet hours held back, of every user whose quiet hours are over. Each release is one commit that takes the
 * rows as they are, so a worker that dies or a second one leaves nothing lost and nothing told twice. Resolves to how many
 * users were told.
 */
export async function releaseHeld(deps: Releasing, madeBy: MadeBy): Promise<number> {
  const counts = await Promise.all(Array.from({ length: LANES }, () => releaseUntilNone(deps, madeBy)))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function releaseUntilNone(deps: Releasing, madeBy: MadeBy): Promise<number> {
  for (let done = 0; ; done += 1) {
    const claim = newClaim(deps, LEASE_MS, MAX_AT_ONCE)
    const found = await deps.deliveries.claimHeld(claim)
    if (!found) return done
    try {
      await release(deps, found, { now: claim.now, madeBy })
    } catch (err) {
      // One that cannot be released must not keep the others waiting; it is tried again when its lease ends.
      deps.log.error({ err, user_id: found.audience.userId }, 'failed to release held deliveries')
    }
  }
}

async function release(
  deps: Releasing,
  found: HeldOfUser,
  { now, madeBy }: { now: Date; madeBy: MadeBy },
): Promise<void> {
  const origin = systemOrigin('notifications', { userId: found.audience.userId, now, madeBy })
  const decision = decideRelease(found, { now, newId: deps.ids.uuid })
  const { outcome } = await deps.changes.commit(toChange(deps, origin, decision))
  if (outcome === 'applied') deps.publishing.wake()
  else deps.log.info({ outcome }, 'skipped held deliveries: another process released them')
}

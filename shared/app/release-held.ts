import { decideRelease } from '../domain/release-held.ts'
import { toChange } from './commit-decision.ts'
import type { Deps } from './ports.ts'

const LEASE_MS = 30_000
/** Notifications of one user at a time: what is more comes in another digest. */
const MOST_AT_ONCE = 500
/** Users side by side. */
const LANES = 4

type HeldOfUser = Parameters<typeof decideRelease>[0]
type Releasing = Pick<Deps, 'changes' | 'clock' | 'ids' | 'log' | 'publishing' | 'deliveries'>

/**
 * Releases what quiet hours held back, of every user whose quiet hours are over. Each release is one commit that takes the
 * rows as they are, so a worker that dies or a second one leaves nothing lost and nothing told twice. Resolves to how many
 * users were told.
 */
export async function releaseHeld(deps: Releasing): Promise<number> {
  const counts = await Promise.all(Array.from({ length: LANES }, () => releaseUntilNone(deps)))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function releaseUntilNone(deps: Releasing): Promise<number> {
  for (let done = 0; ; done += 1) {
    const now = deps.clock.now()
    const leaseUntil = new Date(now.getTime() + LEASE_MS)
    const found = await deps.deliveries.claimHeld({ now, leaseUntil, limit: MOST_AT_ONCE })
    if (!found) return done
    try {
      await release(deps, found, now)
    } catch (err) {
      // One that cannot be released must not keep the others waiting; it is tried again when its lease ends.
      deps.log.error({ err, user_id: found.audience.userId }, 'what was held back could not be released')
    }
  }
}

async function release(deps: Releasing, found: HeldOfUser, now: Date): Promise<void> {
  const { userId } = found.audience
  const actor = { type: 'system' as const, id: 'notifications', on_behalf_of: userId }
  const decision = decideRelease(found, { now, newId: deps.ids.uuid })
  const { outcome } = await deps.changes.commit(toChange(deps, { userId, actor, now, trace: null }, decision))
  if (outcome === 'applied') deps.publishing.wake()
  else deps.log.info({ outcome }, 'what was held back has been released by somebody else')
}

import type { MadeBy } from '../../domain/actor.ts'
import { deliverDue, type Delivering } from './deliver-notifications.ts'
import type { Deps } from '../ports.ts'
import { releaseHeld } from './release-held.ts'
import { sendDailyDigests } from './send-daily-digests.ts'
import { waitAtMost } from '../health/wait-at-most.ts'

/** While deliveries are under way, digests are looked for so often. */
const DIGESTS_EVERY_MS = 1000

/**
 * Does all that is due: deliveries, the end of quiet hours, digests of the day. As long as a delivery is under way it goes
 * on with the others, so that neither those who answer slowly nor a long queue of them keeps a digest waiting.
 */
export async function sweepDeliveries(deps: Delivering & Pick<Deps, 'tasks'>, madeBy: MadeBy): Promise<void> {
  let isOver = false
  const delivering = deliverDue(deps, madeBy)
  const end = delivering.then(
    () => (isOver = true),
    () => (isOver = true),
  )
  for (;;) {
    await Promise.all([releaseHeld(deps, madeBy), sendDailyDigests(deps, madeBy)])
    if (isOver) break
    await waitAtMost(deps, DIGESTS_EVERY_MS, end)
  }
  await delivering
  // What the digests are is sent as well.
  await deliverDue(deps, madeBy)
}

import type { MadeBy } from '../../domain/actor.ts'
import { toCloudEvent } from '../../domain/cloud-event.ts'
import { DEAD_LETTER_TOPIC, markDeadLetter } from '../../domain/dead-letter.ts'
import { decideTry, type TryResult } from '../../domain/notifications/delivery-plan.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import { createFairLanes } from './fair-lanes.ts'
import { admitToHost } from './limits/host-limit.ts'
import { admitMail, isLimited, uncountMail } from './limits/mail-limit.ts'
import { newClaim } from '../new-claim.ts'
import type { Claim, Deps } from '../ports.ts'
import type { DueDelivery, ExternalChannel, SendResult } from './ports.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'
import { SLOW_HOSTS, slowHostsOf } from './limits/slow-hosts.ts'
import { waitAtMost } from '../health/wait-at-most.ts'

/** A worker that dies while it sends keeps its deliveries from the others for so long. */
const LEASE_MS = 60_000
/** No sender takes longer, so what has less of its lease left is not begun. */
const MAX_TRY_MS = 25_000
/**
 * How many of each channel are under way at once, so that a slow one keeps nothing waiting but itself; a quarter of them for
 * one user, for one host that users named, and for all such hosts together that are slow.
 */
const LANES: Record<ExternalChannel, number> = { email: 16, web_push: 64, mobile_push: 32, webhook: 32 }
const BATCH = 200
/** While one channel is busy the others look for what has come up since. */
const LOOK_AGAIN_MS = 500
/** While the way out is closed (the sidecar is away) it is looked for this often; that is no try of the plan. */
const CLOSED_MS = 10_000
/** Of one notification; there are no more devices than that. */
const MAX_AT_ONCE = 50
/** An event waits no longer than this for those its notification is sent to: behind it wait the events of others. */
const PATIENCE_MS = 100
/** Each time another delivery of the same notification has ended in between. */
const ATTEMPTS = MAX_AT_ONCE

export type Delivering = Pick<
  Deps,
  | 'changes'
  | 'clock'
  | 'startTimer'
  | 'ids'
  | 'log'
  | 'publishing'
  | 'broker'
  | 'deliveries'
  | 'senders'
  | 'subscriptions'
  | 'identity'
  | 'settings'
>

/**
 * Carries out every delivery whose time has come, or those of one notification. It may be called at any time, by any number
 * of workers, and be cut off anywhere: what is sent but not written down is sent again, with the same id. For one
 * notification it resolves before the slowest have answered, so that whoever they are holds up nobody's event behind it.
 */
export async function deliverDue(
  deps: Delivering,
  madeBy: MadeBy,
  { notificationId }: { notificationId?: string } = {},
): Promise<number> {
  if (notificationId !== undefined) {
    const claim = newClaim(deps, LEASE_MS, MAX_AT_ONCE)
    const due = await deps.deliveries.claimForNotification(notificationId, claim)
    const isSlow = ({ destination }: DueDelivery) =>
      slowHostsOf(deps).laneOf(destination, claim.now) === SLOW_HOSTS
    // They have lanes in the sweep, which comes at once, and here they would have none.
    await Promise.all(
      due.filter(isSlow).map((one) => deps.deliveries.postpone(one.delivery.id, claim, claim.now)),
    )
    const tried = due
      .filter((one) => !isSlow(one))
      .map((one) => attemptDelivery(deps, one, { claim, madeBy }))
    await waitAtMost(deps, PATIENCE_MS, Promise.all(tried))
    return due.length
  }
  const channels = Object.keys(LANES) as ExternalChannel[]
  const round: Round = { busy: new Set(channels), over: Promise.withResolvers(), isOver: false }
  const counts = await Promise.all(channels.map((channel) => drain(deps, channel, { round, madeBy })))
  return counts.reduce((sum, count) => sum + count, 0)
}

interface Round {
  busy: Set<ExternalChannel>
  /** Resolves when no channel is busy. One that then finds something yet finishes it by itself. */
  over: PromiseWithResolvers<void>
  isOver: boolean
}

async function drain(
  deps: Delivering,
  channel: ExternalChannel,
  { round, madeBy }: { round: Round; madeBy: MadeBy },
): Promise<number> {
  const { busy, over } = round
  const lanes = createFairLanes(LANES[channel])
  let done = 0
  try {
    for (;;) {
      const claim = { ...newClaim(deps, LEASE_MS, BATCH), without: lanes.crowding() }
      const due = await deps.deliveries.claimDue(channel, claim)
      done += due.length
      for (const one of due) {
        const work = async () => {
          const leftMs = claim.leaseUntil.getTime() - deps.clock.now().getTime()
          if (leftMs >= MAX_TRY_MS) await attemptDelivery(deps, one, { claim, madeBy })
        }
        lanes.add(one.delivery.userId, work, slowHostsOf(deps).laneOf(one.destination, deps.clock.now()))
      }
      while (lanes.isFull()) await lanes.next()
      if (due.length === BATCH) continue
      if (lanes.size() > 0) {
        busy.add(channel)
        await waitAtMost(deps, LOOK_AGAIN_MS, lanes.idle())
      } else {
        busy.delete(channel)
        if (busy.size === 0) return done
        await waitAtMost(deps, LOOK_AGAIN_MS, over.promise)
        if (round.isOver) return done
      }
    }
  } finally {
    busy.delete(channel)
    if (busy.size === 0) {
      round.isOver = true
      over.resolve()
    }
  }
}

async function attemptDelivery(
  deps: Delivering,
  due: DueDelivery,
  { claim, madeBy }: { claim: Claim; madeBy: MadeBy },
): Promise<void> {
  try {
    const isCounted = isLimited(deps, due)
    if (isCounted && !(await admitMail(deps, due))) return
    if (!(await admitToHost(deps, due))) return
    const begunAt = deps.clock.now()
    const result = await send(deps, due)
    slowHostsOf(deps).learn(due.destination, begunAt, deps.clock.now())
    if (result.outcome === 'unreachable') {
      const until = new Date(deps.clock.now().getTime() + CLOSED_MS)
      await deps.deliveries.postpone(due.delivery.id, claim, until)
      if (isCounted) await uncountMail(deps, due)
    } else await recordOutcome(deps, due, { result, madeBy })
  } catch (err) {
    // One whose outcome cannot be recorded must not keep the others waiting; it is tried again when its lease ends.
    const { id, channel } = due.delivery
    deps.log.error({ err, delivery_id: id, channel }, 'failed to record delivery outcome')
  }
}

async function send(
  deps: Delivering,
  { delivery, notification, destination }: DueDelivery,
): Promise<SendResult> {
  if (destination.channel === 'none') {
    return { outcome: 'gone', reason: 'the user no longer has this channel' }
  }
  const result = await deps.senders[destination.channel](
    { id: delivery.id, notification },
    destination as never, // of the same channel
  )
  if (result.outcome === 'gone' && 'subscriptionId' in destination) {
    await deps.subscriptions.remove(delivery.userId, destination.subscriptionId)
  }
  return result
}

/** Writes down what came of a try, unless somebody else has: then it was theirs. */
async function recordOutcome(
  deps: Delivering,
  tried: DueDelivery,
  { result, madeBy }: { result: TryResult; madeBy: MadeBy },
): Promise<void> {
  const { id, userId, version } = tried.delivery
  const now = deps.clock.now()
  const origin = systemOrigin('notifications', { userId, now, madeBy })
  let isLetterSent = false
  const end = await retryOnConflict(ATTEMPTS, async (attempt) => {
    // A conflict: another delivery of the same firing may have ended at the same time.
    const due = attempt === 1 ? tried : await deps.deliveries.get(id)
    if (due?.delivery.version !== version) return 'done'
    const { decision, isGivenUp } = decideTry(due, result, now)
    if (isGivenUp && !isLetterSent) {
      isLetterSent = await sendLetter(deps, due, 'reason' in result ? result.reason : '')
      // It stays as it is, claimed for a while, and comes back when the claim ends.
      if (!isLetterSent) return 'done'
    }
    const { outcome } = await deps.changes.commit(toChange(deps, origin, decision))
    if (outcome === 'applied' && decision.facts.length > 0) deps.publishing.wake()
    return outcome
  })
  if (end === 'conflict') throw new Error('the other deliveries of the firing kept changing')
}

/** Moves the event behind a delivery that is given up to the dead letters; false while the broker does not take it. */
async function sendLetter(
  deps: Delivering,
  { delivery, notification }: DueDelivery,
  reason: string,
): Promise<boolean> {
  const about = { delivery_id: delivery.id, channel: delivery.channel }
  const event = await deps.deliveries.eventOf(notification)
  if (!event) {
    deps.log.error(about, 'gave up delivery without a dead letter: its event is gone')
    return true
  }
  const consumer = `deliver-notifications/${delivery.channel}`
  const letter = markDeadLetter(toCloudEvent(event), { consumer, reason })
  try {
    const refused = await deps.broker.publishAll(DEAD_LETTER_TOPIC, [letter])
    if (refused.size > 0) return false
  } catch (err) {
    deps.log.warn({ ...about, err }, 'failed to publish dead letter; retrying with its delivery')
    return false
  }
  deps.log.error({ ...about, reason }, 'moved delivery to dead letters')
  return true
}

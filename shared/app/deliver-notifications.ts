import { toCloudEvent, type CloudEvent } from '../domain/cloud-event.ts'
import { decideTry, type TryResult } from '../domain/delivery-plan.ts'
import { toChange, type Origin } from './commit-decision.ts'
import { createFairLanes } from './fair-lanes.ts'
import type { Deps } from './ports.ts'
import type { Claim, DueDelivery, Outward, SendResult } from './reminder-ports.ts'
import { waitAtMost } from './wait-at-most.ts'

/** A worker that dies while it sends keeps its deliveries from the others for so long. */
const LEASE_MS = 60_000
/** No sender takes longer, so what has less of its lease left is not begun. */
const LONGEST_TRY_MS = 25_000
/** How many of each channel are under way at once, so that a slow one keeps nothing waiting but itself. */
const LANES: Record<Outward, number> = { email: 16, web_push: 32, mobile_push: 32, webhook: 32 }
/** How many of a channel are claimed at a time. */
const BATCH = 200
/** While one channel is busy the others look for what has come up since. */
const LOOK_AGAIN_MS = 500
/** While the way out is closed (the sidecar is away) it is looked for this often; that is no try of the plan. */
const CLOSED_MS = 10_000
/** Of one notification; there are no more devices than that. */
const MOST_AT_ONCE = 50
/** Whoever waits for one notification waits no longer than this for those it is sent to. */
const PATIENCE_MS = 2000
/** Each time another delivery of the same notification has ended in between. */
const ATTEMPTS = MOST_AT_ONCE

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
>

/**
 * Carries out every delivery whose time has come, or those of one notification. It may be called at any time, by any number
 * of workers, and be cut off anywhere: what is sent but not written down is sent again, with the same id. For one
 * notification it resolves before the slowest have answered, so that whoever they are holds up nobody's event behind it.
 */
export async function deliverDue(
  deps: Delivering,
  { notificationId }: { notificationId?: string } = {},
): Promise<number> {
  if (notificationId !== undefined) {
    const claim = newClaim(deps, MOST_AT_ONCE)
    const due = await deps.deliveries.claimOf(notificationId, claim)
    await waitAtMost(deps, PATIENCE_MS, Promise.all(due.map((one) => carryOut(deps, one, claim))))
    return due.length
  }
  const channels = Object.keys(LANES) as Outward[]
  const round: Round = { busy: new Set(channels), over: Promise.withResolvers(), isOver: false }
  const counts = await Promise.all(channels.map((channel) => drain(deps, channel, round)))
  return counts.reduce((sum, count) => sum + count, 0)
}

interface Round {
  busy: Set<Outward>
  /** Resolves when no channel is busy. One that then finds something yet finishes it by itself. */
  over: PromiseWithResolvers<void>
  isOver: boolean
}

/** Carries out what is due on a channel, and what comes up while another channel is busy. */
async function drain(deps: Delivering, channel: Outward, round: Round): Promise<number> {
  const { busy, over } = round
  const lanes = createFairLanes(LANES[channel])
  let done = 0
  try {
    for (;;) {
      const claim = { ...newClaim(deps, BATCH), without: lanes.crowding() }
      const due = await deps.deliveries.claimDue(channel, claim)
      done += due.length
      for (const one of due) {
        lanes.add(one.delivery.userId, async () => {
          const leftMs = claim.leaseUntil.getTime() - deps.clock.now().getTime()
          if (leftMs >= LONGEST_TRY_MS) await carryOut(deps, one, claim)
        })
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

async function carryOut(deps: Delivering, due: DueDelivery, claim: Claim): Promise<void> {
  try {
    const result = await send(deps, due)
    if (result.outcome === 'unreachable') {
      const until = new Date(deps.clock.now().getTime() + CLOSED_MS)
      await deps.deliveries.putOff(due.delivery.id, claim, until)
    } else await settle(deps, due, result)
  } catch (err) {
    // One that cannot be settled must not keep the others waiting; it is tried again when its lease ends.
    const { id, channel } = due.delivery
    deps.log.error({ err, delivery_id: id, channel }, 'what came of a delivery could not be written down')
  }
}

async function send(
  deps: Delivering,
  { delivery, notification, destination }: DueDelivery,
): Promise<SendResult> {
  if (destination.channel === 'none') {
    return { outcome: 'gone', reason: 'the user cannot be reached this way any more' }
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
async function settle(deps: Delivering, tried: DueDelivery, result: TryResult): Promise<void> {
  const { id, userId, version } = tried.delivery
  const now = deps.clock.now()
  const actor: Origin['actor'] = { type: 'system', id: 'notifications', on_behalf_of: userId }
  let due: DueDelivery | null = tried
  let isLetterSent = false
  for (let attempt = 1; due && attempt <= ATTEMPTS; attempt += 1) {
    const { decision, isGivenUp } = decideTry(due, result, now)
    if (isGivenUp && !isLetterSent) {
      isLetterSent = await sendLetter(deps, due, 'reason' in result ? result.reason : '')
      // It stays as it is, claimed for a while, and comes back when the claim ends.
      if (!isLetterSent) return
    }
    const change = toChange(deps, { userId, actor, now, trace: null }, decision)
    const { outcome } = await deps.changes.commit(change)
    if (outcome === 'applied' && decision.facts.length > 0) deps.publishing.wake()
    if (outcome !== 'conflict') return
    // Another delivery of the same firing may have ended at the same time.
    due = await deps.deliveries.look(id)
    if (due?.delivery.version !== version) return
  }
  throw new Error('the other deliveries of the firing kept changing')
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
    deps.log.error(about, 'delivery given up; the event behind it is gone, so there is no dead letter')
    return true
  }
  const marks = { dlqconsumer: `deliver-notifications/${delivery.channel}`, dlqreason: reason.slice(0, 1000) }
  const letter: CloudEvent = { ...toCloudEvent(event), ...marks }
  try {
    const refused = await deps.broker.publishAll('dlq-events', [letter])
    if (refused.size > 0) return false
  } catch (err) {
    deps.log.warn({ ...about, err }, 'dead letter could not be published; the delivery stays')
    return false
  }
  deps.log.error({ ...about, reason }, 'delivery given up and moved to the dead letters')
  return true
}

function newClaim({ clock }: Delivering, limit: number): Claim {
  const now = clock.now()
  return { now, leaseUntil: new Date(now.getTime() + LEASE_MS), limit }
}

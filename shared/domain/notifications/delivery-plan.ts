import { DAY_MS } from '../durations.ts'
import { confirmedFact, sentFact } from './notification-facts.ts'
import { fact, type Decision, type Fact } from '../decision.ts'
import { NotificationFailed, ReminderFailed, ReminderSent } from '../events.ts'
import {
  CHANNELS,
  NO_TARGET,
  changedDelivery,
  isChosen,
  notificationRecord,
  type Delivery,
  type Notification,
} from './notification.ts'

/** How long after a try that failed the next one comes; after the last of these there is none. */
const PAUSES_MS = [1000, 5000, 30_000, 300_000]
/** The other side may ask for more patience than the plan has, but not for ever. */
const MAX_PAUSE_MS = DAY_MS

export interface FiringDelivery {
  delivery: Delivery
  notification: Notification
  siblings: readonly Delivery[]
}

/** What came of a try: of `gone` and `refused` another try can only come to the same. */
export type TryResult =
  | { outcome: 'delivered' }
  | { outcome: 'gone' | 'refused'; reason: string }
  | { outcome: 'failed'; reason: string; afterMs?: number }

/** The decision about a try, and whether it is to be found among the dead letters before anything else happens. */
export interface TryDecision {
  decision: Decision
  isGivenUp: boolean
}

/**
 * A delivery after a try: delivered, to be tried again by the plan, or failed. Of a digest it settles as well what the
 * digest carries, see {@link carrierOf}. Of a first message nobody is told but, when it was taken, that it has confirmed a
 * webhook or a device; nor of a mail about the account.
 */
export function decideTry(
  tried: FiringDelivery & { carried: readonly FiringDelivery[] },
  result: TryResult,
  now: Date,
): TryDecision {
  const after = afterTry(tried.delivery, result, now)
  if (after.state === 'triggered') {
    return { decision: { changedDeliveries: [after], facts: [] }, isGivenUp: false }
  }
  if (!isChosen(tried.notification.type)) {
    const { state, target } = after
    const isAnswer = state === 'delivered' && target !== NO_TARGET
    const answered = isAnswer ? { confirmedTarget: target, facts: [confirmedFact(after)] } : { facts: [] }
    return { decision: { changedDeliveries: [after], ...answered }, isGivenUp: false }
  }
  const all = [tried.delivery, ...tried.siblings]
  const mine = tried.carried.filter(({ delivery }) => carrierOf(delivery, all)?.id === after.id)
  const updated = [
    { ...tried, delivery: after },
    ...mine.map((one) => ({ ...one, delivery: withOutcomeOf(one.delivery, after) })),
  ]
  const changed = new Map(updated.map(({ delivery }) => [delivery.id, delivery]))
  const firings = updated.filter(({ notification }) => notification.reminderId !== null)
  const others = firings.flatMap(({ siblings }) => siblings.filter(({ id }) => !changed.has(id)))
  const ends = new Map(
    firings.map(({ delivery, notification, siblings }) => {
      const deliveries = [delivery, ...siblings].map((one) => changed.get(one.id) ?? one)
      return [notification.id, firingFact(notification, deliveries)]
    }),
  )
  return {
    decision: {
      changedDeliveries: [...changed.values()],
      // Of two deliveries that end at the same time, one has to see that it is the last.
      unchangedDeliveries: [...new Map(others.map((one) => [one.id, one])).values()],
      facts: [doneFact(tried.notification, after), ...[...ends.values()].filter((end) => end !== null)],
    },
    isGivenUp: result.outcome === 'refused' || result.outcome === 'failed',
  }
}

/**
 * Which delivery of a digest carries one that was held back: that on the same channel to the same device, else on the same
 * channel, else in the app, else any. It depends on nothing that changes, so that every worker finds the same.
 */
export function carrierOf(held: Delivery, digest: readonly Delivery[]): Delivery | undefined {
  const inOrder = digest.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return (
    inOrder.find(({ channel, target }) => channel === held.channel && target === held.target) ??
    inOrder.find(({ channel }) => channel === held.channel) ??
    inOrder.find(({ channel }) => channel === 'in_app') ??
    inOrder[0]
  )
}

/** One that was held back, when what carries it is over. */
export const withOutcomeOf = (held: Delivery, { state, deliveredAt, reason }: Delivery): Delivery =>
  changedDelivery(held, { state, deliveredAt, reason, attempts: held.attempts + 1, nextAttemptAt: null })

/** `reminder.sent` or `reminder.failed`, once nothing of a firing is left to be done. */
export function firingFact(notification: Notification, deliveries: readonly Delivery[]): Fact | null {
  const { reminderId, taskId } = notification
  if (reminderId === null || taskId === null) return null
  if (deliveries.some(({ state }) => state === 'triggered' || state === 'held')) return null
  const on = (wanted: Delivery['state']) =>
    CHANNELS.filter((channel) => deliveries.some((one) => one.channel === channel && one.state === wanted))
  const delivered = on('delivered')
  const failed = on('failed').filter((channel) => !delivered.includes(channel))
  if (delivered.length + failed.length === 0) return null
  return fact(delivered.length > 0 ? ReminderSent : ReminderFailed, `reminder/${reminderId}`, {
    reminder_id: reminderId,
    task_id: taskId,
    task_title: notification.title,
    notification_id: notification.id,
    fire_at: deliveries[0]!.fireAt.toISOString(),
    delivered,
    failed,
  })
}

function afterTry(delivery: Delivery, result: TryResult, now: Date): Delivery {
  const tried = changedDelivery(delivery, { attempts: delivery.attempts + 1, nextAttemptAt: null })
  if (result.outcome === 'delivered') return { ...tried, state: 'delivered', deliveredAt: now, reason: null }
  const pause = result.outcome === 'failed' ? PAUSES_MS[delivery.attempts] : undefined
  if (pause === undefined) return { ...tried, state: 'failed', reason: result.reason }
  const asked = result.outcome === 'failed' ? (result.afterMs ?? 0) : 0
  const wait = Math.min(Math.max(pause, asked), MAX_PAUSE_MS)
  return { ...tried, nextAttemptAt: new Date(now.getTime() + wait), reason: result.reason }
}

const doneFact = (notification: Notification, delivery: Delivery): Fact =>
  delivery.state === 'delivered'
    ? sentFact(notification, delivery)
    : fact(NotificationFailed, `notification/${notification.id}`, {
        notification: notificationRecord(notification),
        delivery_id: delivery.id,
        channel: delivery.channel,
        attempts: delivery.attempts,
        reason: delivery.reason ?? 'unknown',
      })

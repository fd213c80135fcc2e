import type { Delivery, Notification } from '../../shared/domain/notifications/notification.ts'
import type { Fault } from '../faults/oracle.ts'
import type { Audiences } from './firings.ts'
import type { Entry } from './journal.ts'
import { endOfQuiet } from './wall-clock.ts'

interface Line {
  delivery: Delivery
  /** How often each process has claimed it and not sent it yet. */
  mayBeSentBy: Map<string, number>
  /** What each process was told of its sends and has not written down yet. */
  heard: Map<string, Said[]>
  /** It was given up although there is somebody to send to. */
  isGivenUp: boolean
}

type ChangeEntry = Extract<Entry, { kind: 'change' }>
type ClaimEntry = Extract<Entry, { kind: 'claim' }>
type SendEntry = Extract<Entry, { kind: 'send' }>
type Said = SendEntry['said']

/** The ledger as commits made it, with where the app shows what. */
export interface Ledger {
  lines: Map<string, Line>
  notifications: Map<string, Notification & { seq: number | null }>
  /** Ids of the events of each user, in sequence. */
  events: Map<string, { id: string; type: string; data: unknown }[]>
}

const PAUSES_MS = [1000, 5000, 30_000, 300_000]
const MAX_TRIES = 5
/** A lease that ends later than that after another that begins now is of a clock that was wrong. */
const ODD_LEASE_MS = 30_000

/** Goes through what was committed, claimed and sent, and judges each step of each delivery. */
export function checkLedger(entries: readonly Entry[], audiences: Audiences, fault: Fault): Ledger {
  const ledger: Ledger = { lines: new Map(), notifications: new Map(), events: new Map() }
  const leases = new Map<string, ClaimEntry>()
  for (const [place, entry] of entries.entries()) {
    if (entry.kind === 'claim') checkClaim(ledger, { leases, entry, place }, fault)
    else if (entry.kind === 'postpone') {
      const lease = leases.get(entry.deliveryId)
      if (lease?.leaseUntil === entry.leaseUntil)
        leases.set(entry.deliveryId, { ...lease, leaseUntil: entry.until })
    } else if (entry.kind === 'send') checkSend(ledger, entry, fault)
    else if (entry.kind === 'change') {
      for (const { id } of [
        ...(entry.change.changedReminders ?? []),
        ...(entry.change.changedDeliveries ?? []),
      ]) {
        leases.delete(id)
      }
      checkChange(ledger, { entry, place, audiences }, fault)
    }
  }
  return ledger
}

function checkClaim(
  { lines }: Ledger,
  { leases, entry, place }: { leases: Map<string, ClaimEntry>; entry: ClaimEntry; place: number },
  fault: Fault,
): void {
  for (const id of entry.ids) {
    const line = lines.get(id)
    // Of what is held back, whoever claims the first claims all; the commit decides between two.
    if (line?.delivery.state === 'held') continue
    const former = leases.get(id)
    const isOver =
      !former ||
      former.leaseUntil <= entry.now ||
      former.leaseUntil > entry.leaseUntil + ODD_LEASE_MS ||
      (entry.renews === former.leaseUntil && entry.process === former.process)
    if (!isOver) fault('a lease keeps others out', `${id} claimed at ${place} by ${entry.process}`)
    leases.set(id, entry)
    if (!line) continue
    const { state, nextAttemptAt } = line.delivery
    if (state !== 'triggered') fault('what is over is left alone', `${id}, ${state}, claimed at ${place}`)
    if (nextAttemptAt && nextAttemptAt.getTime() > entry.now) {
      fault(
        'tries keep to the plan',
        `${id} claimed at ${place}, to be tried at ${nextAttemptAt.toISOString()}`,
      )
    }
    line.mayBeSentBy.set(entry.process, (line.mayBeSentBy.get(entry.process) ?? 0) + 1)
  }
}

function checkSend({ lines, notifications }: Ledger, entry: SendEntry, fault: Fault): void {
  const line = lines.get(entry.deliveryId)
  if (!line) return fault('a message carries the id of its delivery', `${entry.channel} ${entry.deliveryId}`)
  const { notificationId, channel } = line.delivery
  if (
    entry.notificationId !== notificationId ||
    entry.channel !== channel ||
    !notifications.has(notificationId)
  ) {
    fault(
      'a message carries the id of its delivery',
      `${entry.channel} of ${entry.notificationId} as ${entry.deliveryId}`,
    )
  }
  // Who has sent it and not said so may only send it again when its lease was given to it again.
  const claims = line.mayBeSentBy.get(entry.process) ?? 0
  if (claims === 0)
    fault('sent again only in doubt', `${entry.channel} ${entry.deliveryId} by ${entry.process}`)
  line.mayBeSentBy.set(entry.process, claims - 1)
  line.heard.set(entry.process, [...(line.heard.get(entry.process) ?? []), entry.said])
}

function checkChange(
  ledger: Ledger,
  { entry, place, audiences }: { entry: ChangeEntry; place: number; audiences: Audiences },
  fault: Fault,
): void {
  const { lines, notifications, events } = ledger
  const { change } = entry
  const told = events.get(change.userId) ?? []
  const seqOf = (fact: number | null) => (fact === null ? null : told.length + fact + 1)
  for (const { notification, fact } of change.newNotifications ?? []) {
    const twin = [...notifications.values()].find(
      ({ userId, source }) => userId === notification.userId && source === notification.source,
    )
    if (twin) fault('told once', `${notification.source}: ${twin.id} and ${notification.id}`)
    notifications.set(notification.id, { ...notification, seq: seqOf(fact) })
  }
  for (const { id, fact } of change.shownNotifications ?? []) {
    const notification = notifications.get(id)
    if (!notification || notification.seq !== null) fault('the app shows it once', id)
    else notification.seq = seqOf(fact)
  }
  for (const delivery of change.newDeliveries ?? []) {
    const twin = [...lines.values()].find((line) => isSameLine(line.delivery, delivery))
    if (twin) fault('one line of the ledger per channel', `${twin.delivery.id} and ${delivery.id}`)
    lines.set(delivery.id, { delivery, mayBeSentBy: new Map(), heard: new Map(), isGivenUp: false })
  }
  for (const delivery of change.changedDeliveries ?? []) {
    const line = lines.get(delivery.id)
    if (!line) {
      fault('the ledger is what was committed', `${delivery.id} was never written`)
      continue
    }
    const problem =
      line.delivery.state === 'held'
        ? leavesQuiet(ledger, line.delivery, delivery, { entry, place, audiences })
        : afterTry(line, delivery, entry)
    if (problem) fault(problem.rule, `${delivery.id} ${delivery.channel} at ${place}: ${problem.detail}`)
    line.delivery = delivery
  }
  events.set(change.userId, [...told, ...change.events.map(({ id, type, data }) => ({ id, type, data }))])
}

const isSameLine = (a: Delivery, b: Delivery): boolean =>
  a.channel === b.channel &&
  a.target === b.target &&
  (a.notificationId === b.notificationId ||
    (a.reminderId !== null && a.reminderId === b.reminderId && a.fireAt.getTime() === b.fireAt.getTime()))

type Problem = { rule: string; detail: string } | null

/** What a worker may write of a delivery that it has tried: what it was told, or that there is nobody to send to. */
function afterTry(line: Line, after: Delivery, { process, change }: ChangeEntry): Problem {
  const before = line.delivery
  const told = line.heard.get(process) ?? []
  const was = `${before.state} after ${before.attempts}, now ${after.state} after ${after.attempts}; heard ${told.join()}`
  if (before.state !== 'triggered') return { rule: 'what is over is left alone', detail: was }
  if (after.attempts !== before.attempts + 1) return { rule: 'every try counts', detail: was }
  const isFitting = (said: Said) =>
    after.state === 'triggered'
      ? said === 'failed'
      : after.state === 'delivered'
        ? said === 'delivered'
        : said === after.reason && (said !== 'failed' || after.attempts === MAX_TRIES)
  const place = told.findIndex(isFitting)
  const heard = place < 0 ? null : told.splice(place, 1)[0]!
  line.isGivenUp = after.state === 'failed' && (heard === 'refused' || heard === 'failed')
  if (!heard && after.state === 'delivered') return { rule: 'delivered means taken', detail: was }
  if (!heard && after.state !== 'failed') return { rule: 'tries keep to the plan', detail: was }
  const pause = after.nextAttemptAt && after.nextAttemptAt.getTime() - change.at.getTime()
  const isPlanned = pause === (after.state === 'triggered' ? PAUSES_MS[before.attempts] : null)
  return isPlanned ? null : { rule: 'tries keep to the plan', detail: `${was}; waits ${pause} ms` }
}

/** What may become of a delivery that quiet hours hold. */
function leavesQuiet(
  { notifications }: Ledger,
  before: Delivery,
  after: Delivery,
  { entry, place, audiences }: { entry: ChangeEntry; place: number; audiences: Audiences },
): Problem {
  if (before.digestId !== null) {
    const isRight = after.state === 'delivered' || after.state === 'failed'
    return isRight ? null : { rule: 'what a digest carries shares its fate', detail: `is ${after.state}` }
  }
  if (after.state === 'cancelled' || (after.state === 'held' && after.digestId === null)) return null
  const from = audiences.claimed(before.id, entry.process, place)
  const user = audiences.user(before.userId)
  const isOver = audiences.between(before.userId, from, place).some(({ settings }) => {
    const zone = settings?.timeZone ?? user.timeZone
    return endOfQuiet(settings?.quietHours ?? null, zone, entry.change.at.getTime()) === null
  })
  if (!isOver)
    return { rule: 'quiet hours hold', detail: `${after.state} at ${entry.change.at.toISOString()}` }
  if (after.digestId !== null && !notifications.has(after.digestId)) {
    return { rule: 'what a digest carries shares its fate', detail: 'there is no such digest' }
  }
  return null
}

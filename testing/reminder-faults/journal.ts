import type { Change, ChangeStore, Claim } from '../../shared/app/ports.ts'
import type { DeliveryQueue, SubscriptionStore } from '../../shared/app/notifications/ports.ts'
import type { ReminderQueue } from '../../shared/app/reminders/ports.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import type { Channel } from '../../shared/domain/notifications/notification.ts'
import type { Preferences } from '../../shared/domain/notifications/notification-preferences.ts'

/** A machine's clock: the true time and how far it is off. */
export interface Timepiece {
  skewMs: number
  read(): number
  /** The latest it has ever shown to this process. */
  highest(): number
}

export type Settings = Omit<Preferences, 'version'>

interface Send {
  process: string
  deliveryId: string
  notificationId: string
  channel: Channel
  /** What the other side did, and what it said. */
  isTaken: boolean
  said: 'delivered' | 'failed' | 'refused' | 'gone'
}

/** What happened, as it is certain and in the order in which it became so. */
export type Entry =
  | { kind: 'change'; change: Change; process: string; clock: number; highest: number }
  | { kind: 'claim'; process: string; ids: string[]; now: number; leaseUntil: number; renews: number | null }
  /** What was claimed until then is given up, to be claimed from another time on. */
  | { kind: 'postpone'; deliveryId: string; leaseUntil: number; until: number }
  | { kind: 'settings'; userId: string; settings: Settings }
  | { kind: 'device'; userId: string; id: string; channel: 'web_push' | 'mobile_push'; isGone: boolean }
  | ({ kind: 'send' } & Send)
  /** A process has dealt with an event that came to it after that entry; its clock showed `highest` at most. */
  | { kind: 'consumed'; event: CloudEvent; after: number; highest: number }
  /** A worker asks the same over and over, without a pause. */
  | { kind: 'spin'; process: string; question: string }
  /** From now on a worker is awake and time passes as it should. */
  | { kind: 'calm'; at: number }

export interface Journal {
  readonly entries: readonly Entry[]
  write(entry: Entry): void
  /** Rows that will want something, and when: reminders, deliveries. For the scheduler of the simulation only. */
  readonly upcoming: Map<string, number>
  /** Whether a reminder, a delivery or a delivery that is held back is left for anybody to claim. */
  has(kind: 'reminder' | 'triggered' | 'held', channel?: Channel): boolean
}

export function createJournal(): Journal {
  const entries: Entry[] = []
  const upcoming = new Map<string, number>()
  const open = new Map<string, { kind: string; channel?: Channel }>()
  const expect = (id: string, at: Date | null, what: { kind: string; channel?: Channel }) => {
    if (at) upcoming.set(id, at.getTime())
    else upcoming.delete(id)
    if (at) open.set(id, what)
    else open.delete(id)
  }
  return {
    entries,
    upcoming,
    has: (kind, channel) =>
      [...open.values()].some(
        (one) => one.kind === kind && (channel === undefined || one.channel === channel),
      ),
    write: (entry) => {
      entries.push(entry)
      if (entry.kind !== 'change') return
      const {
        newReminders = [],
        changedReminders = [],
        newDeliveries = [],
        changedDeliveries = [],
      } = entry.change
      for (const { id, fireAt } of [...newReminders, ...changedReminders])
        expect(id, fireAt, { kind: 'reminder' })
      for (const { id, nextAttemptAt, state, channel } of [...newDeliveries, ...changedDeliveries]) {
        expect(id, nextAttemptAt, { kind: state, channel })
      }
    },
  }
}

/** Whose doing it is. */
interface Recorder {
  journal: Journal
  process: string
  timepiece: Timepiece
}

/** Writes down what was really committed: what is done within a transaction when that is committed. */
export function recordChanges(recorder: Recorder, real: ChangeStore): ChangeStore {
  const { journal, process, timepiece } = recorder
  const recording = (store: ChangeStore, write: (change: Change) => void): ChangeStore => ({
    ...store,
    commit: async (change) => {
      const result = await store.commit(change)
      if (result.outcome === 'applied') write(change)
      return result
    },
    exclusively: async (userId, work) => {
      const written: Change[] = []
      const result = await store.exclusively(userId, (inner) =>
        work(recording(inner, (change) => void written.push(change))),
      )
      for (const change of written) write(change)
      return result
    },
  })
  const clocks = () => ({ clock: timepiece.read(), highest: timepiece.highest() })
  return recording(real, (change) => journal.write({ kind: 'change', change, process, ...clocks() }))
}

export function recordReminderQueue(recorder: Recorder, real: ReminderQueue): ReminderQueue {
  const note = claims(recorder)
  return {
    ...real,
    claimDue: async (claim) => note(claim, await real.claimDue(claim), ({ reminder }) => [reminder.id]),
    claimOne: async (id, claim) =>
      note(claim, await real.claimOne(id, claim), ({ reminder }) => [reminder.id]),
  }
}

export function recordDeliveryQueue(recorder: Recorder, real: DeliveryQueue): DeliveryQueue {
  const note = claims(recorder)
  return {
    ...real,
    claimDue: async (channel, claim) =>
      note(claim, await real.claimDue(channel, claim), ({ delivery }) => [delivery.id]),
    claimForNotification: async (id, claim) =>
      note(claim, await real.claimForNotification(id, claim), ({ delivery }) => [delivery.id]),
    postpone: async (deliveryId, claim, until) => {
      await real.postpone(deliveryId, claim, until)
      const times = { leaseUntil: claim.leaseUntil.getTime(), until: until.getTime() }
      recorder.journal.write({ kind: 'postpone', deliveryId, ...times })
    },
    claimHeld: async (claim) => {
      const found = await real.claimHeld(claim)
      note(claim, found?.held ?? [], ({ delivery }) => [delivery.id])
      return found
    },
  }
}

export function recordSubscriptions({ journal }: Recorder, real: SubscriptionStore): SubscriptionStore {
  return {
    ...real,
    remove: async (userId, id) => {
      const isGone = await real.remove(userId, id)
      if (isGone) journal.write({ kind: 'device', userId, id, channel: 'web_push', isGone })
      return isGone
    },
  }
}

const claims =
  ({ journal, process }: Recorder) =>
  <Found>({ now, leaseUntil, renews }: Claim, found: Found[], idsOf: (one: Found) => string[]): Found[] => {
    const ids = found.flatMap(idsOf)
    const times = { now: now.getTime(), leaseUntil: leaseUntil.getTime(), renews: renews?.getTime() ?? null }
    if (ids.length > 0) journal.write({ kind: 'claim', process, ids, ...times })
    return found
  }

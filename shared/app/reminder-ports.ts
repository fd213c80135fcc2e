import type { RecordedEvent } from '../domain/cloud-event.ts'
import type { DeliveryOfFiring } from '../domain/delivery-plan.ts'
import type { Audience } from '../domain/notification-preferences.ts'
import type { Channel, Delivery, Notification } from '../domain/notification.ts'
import type { Reminder } from '../domain/reminder.ts'
import type { Task } from '../domain/task.ts'

/** Types only: what the use cases of reminders and notifications may ask of the world. What changes goes through ChangeStore. */

/** How a worker takes what is due: at most `limit`, for itself until `leaseUntil`. */
export interface Claim {
  now: Date
  leaseUntil: Date
  limit: number
  /** The end of a lease of one's own, which does not stand in the way. */
  renews?: Date
  /** Users whose turn it is not. */
  without?: readonly string[]
}

/** A reminder that is due, with all that the decision about it depends on. */
export interface DueReminder {
  reminder: Reminder
  /** Null when it has been purged. */
  task: Task | null
  audience: Audience
  /** Whether a firing at this `fireAt` is in the ledger: it cannot take place again. */
  hasFired: boolean
}

export interface ReminderReader {
  /** One the user has not removed, with its deliveries (oldest first), whom it reaches and whether a worker has claimed it. */
  get(
    userId: string,
    reminderId: string,
    now: Date,
  ): Promise<{ reminder: Reminder; deliveries: Delivery[]; audience: Audience; isClaimed: boolean } | null>
  /** Those of a task, the earliest first, each with the deliveries of its last firing. */
  list(userId: string, taskId: string): Promise<{ reminder: Reminder; deliveries: Delivery[] }[]>
}

export interface ReminderQueue {
  /** Reminders whose time has come and that nobody has claimed, the earliest first (SKIP LOCKED). */
  claimDue(claim: Claim): Promise<DueReminder[]>
  /** The same for one of them: none when it is not due, or claimed by somebody else. */
  claimOne(reminderId: string, claim: Claim): Promise<DueReminder[]>
  /** The earliest time at which a sweep finds something; what is claimed counts from the end of its lease. */
  nextDueAt(): Promise<Date | null>
  /** The next firing of one of them; null when there is none to come, or no such reminder. */
  fireAtOf(reminderId: string): Promise<Date | null>
}

/** A delivery whose time has come, with what is needed to carry it out. */
export interface DueDelivery extends DeliveryOfFiring {
  destination: Destination
  /** Of a digest: what quiet hours held back and it carries, on whichever channel. */
  carried: DeliveryOfFiring[]
}

/** Where it goes; `none` when the user cannot be reached this way any more. */
export type Destination =
  | { channel: 'email'; address: string }
  | { channel: 'web_push'; subscriptionId: string; endpoint: string; keys: { p256dh: string; auth: string } }
  | { channel: 'mobile_push'; subscriptionId: string; token: string }
  | { channel: 'webhook'; url: string; secret: string }
  | { channel: 'none' }

export interface DeliveryQueue {
  /** Deliveries of a channel in state `triggered` to be tried now, the earliest first (SKIP LOCKED). */
  claimDue(channel: Outward, claim: Claim): Promise<DueDelivery[]>
  /** Those of one notification, on every channel. */
  claimOf(notificationId: string, claim: Claim): Promise<DueDelivery[]>
  /** The same without claiming it; null when it is not in state `triggered` any more. */
  look(deliveryId: string): Promise<DueDelivery | null>
  /** What was claimed with this claim is left alone until then, by everybody; no try is counted. */
  putOff(deliveryId: string, claim: Claim, until: Date): Promise<void>
  /** The event that goes to the dead letters when a notification cannot be delivered. */
  eventOf(notification: Notification): Promise<RecordedEvent | null>
  /**
   * A user whose quiet hours are over by now and what was held back for them, the earliest first, of at most `limit`
   * notifications; null when there is nobody.
   */
  claimHeld(claim: Claim): Promise<{ audience: Audience; held: HeldDelivery[] } | null>
  /** Users whose digest of the day is due. */
  claimDigests(claim: Claim): Promise<DueDigest[]>
  /** The earliest time at which a sweep finds something. */
  nextDueAt(): Promise<Date | null>
}

export interface HeldDelivery {
  delivery: Delivery
  notification: Notification
  /** Whether the task is still to be done and the reminder neither acknowledged nor to come again; true when it is about neither. */
  isWanted: boolean
}

export interface DueDigest {
  audience: Audience
  dueAt: Date
}

/** What the app shows, newest first. `seq` is the place in the user's order. */
export interface ShownNotification {
  notification: Notification
  seq: number
}

export interface NotificationReader {
  list(
    userId: string,
    query: { before: number | null; onlyUnread: boolean; limit: number },
  ): Promise<{ items: ShownNotification[]; unread: number }>
  /** Those after a place, in order. */
  after(userId: string, seq: number, limit: number): Promise<ShownNotification[]>
  /** The last place that is taken: where a stream begins that resumes nothing. */
  lastSeq(userId: string): Promise<number>
  /** Null when there is none of this user's. Reading twice keeps the first time. */
  markRead(userId: string, id: string, now: Date): Promise<Notification | null>
  /** Resolves to how many were unread. */
  markAllRead(userId: string, now: Date): Promise<number>
}

/** Tells, within this process, that users have something new in the app; see shared/db/notification-feed.ts. */
export interface NotificationFeed {
  /** `onNews` may be called without news, and is called within seconds for news of any process. */
  subscribe(userId: string, onNews: () => void): () => void
}

/** Read here, changed through ChangeStore. */
export interface PreferenceStore {
  get(userId: string): Promise<{ audience: Audience; accountTimeZone: string }>
}

export interface PushSubscription {
  id: string
  userId: string
  channel: 'web_push' | 'mobile_push'
  /** The push service's URL, or the FCM registration token. */
  endpoint: string
  keys: { p256dh: string; auth: string } | null
  createdAt: Date
}

export interface SubscriptionStore {
  list(userId: string): Promise<PushSubscription[]>
  /** The one with this endpoint if the user has it; `taken` when it is another user's and the keys differ. */
  add(subscription: PushSubscription, most: number): Promise<PushSubscription | 'taken' | 'too_many'>
  remove(userId: string, id: string): Promise<boolean>
}

/** What is sent, whichever way; `id` is that of the delivery and the same on every try. */
export interface Message {
  id: string
  notification: Notification
}

/**
 * `gone`: the device will never come back, forget it. `refused`: trying again cannot help. `failed`: it may; `afterMs`
 * when the other side says how long to wait. `unreachable`: it did not get as far as trying, for our own way out (the
 * sidecar) is closed. Reasons are for the ledger: no address, no title, no token in them.
 */
export type SendResult =
  | { outcome: 'delivered' }
  | { outcome: 'gone' | 'refused'; reason: string }
  | { outcome: 'unreachable'; reason: string }
  | { outcome: 'failed'; reason: string; afterMs?: number }

export type Outward = Exclude<Channel, 'in_app'>

/** One per channel. Never rejects: whatever goes wrong is a `failed`. */
export type Senders = {
  [Name in Outward]: (
    message: Message,
    destination: Extract<Destination, { channel: Name }>,
  ) => Promise<SendResult>
}

/** Where requests to addresses that users name may go; see shared/channels/safe-fetch.ts. */
export interface Outbound {
  /** Why nothing is ever sent to this URL, in words for the user; null when it may be tried. Asks no name server. */
  objection(url: string): string | null
}

/** A VAPID key pair (RFC 8292), both in base64url: the uncompressed point, and the scalar. */
export interface VapidKeys {
  publicKey: string
  privateKey: string
}

/** The keys that push services know us by. They are one pair for all processes. */
export interface PushKeys {
  /** Rejects while the place they are kept in is away. */
  get(): Promise<VapidKeys>
}

export interface PushKeyStore {
  get(): Promise<VapidKeys | null>
  /** The first pair that anybody added, which may be another than this one. */
  add(keys: VapidKeys, now: Date): Promise<VapidKeys>
}

/** Jobs of the sidecar's scheduler: a hint when to look, never the truth. */
export interface Alarms {
  /** Calls back at this time, in place of an earlier one of the same reminder. */
  set(reminderId: string, at: Date): Promise<void>
  cancel(reminderId: string): Promise<void>
}

export interface DeadLetter {
  id: string
  eventId: string
  consumer: string
  type: string
  userId: string | null
  reason: string
  /** The CloudEvent as it came. */
  letter: unknown
  state: 'open' | 'replayed' | 'discarded'
  /** How often it came to this. */
  times: number
  receivedAt: Date
  resolvedAt: Date | null
}

export interface DeadLetters {
  /** Keeps a letter; one that came before is opened again. */
  keep(
    letter: Pick<
      DeadLetter,
      'id' | 'eventId' | 'consumer' | 'type' | 'userId' | 'reason' | 'letter' | 'receivedAt'
    >,
  ): Promise<void>
  list(query: {
    state: DeadLetter['state'] | 'all'
    limit: number
    after: string | null
  }): Promise<DeadLetter[]>
  get(id: string): Promise<DeadLetter | null>
  /**
   * Puts the event back into the outbox and gives deliveries that failed with it a new retry plan, in one transaction;
   * all open letters of the event are replayed with it. `unknown`: no such letter, `not_open`: replayed or discarded
   * before, `not_ours`: the event was never ours and cannot be published again.
   */
  replay(id: string, now: Date): Promise<'replayed' | 'unknown' | 'not_open' | 'not_ours'>
  discard(id: string, now: Date): Promise<'discarded' | 'unknown' | 'not_open'>
}

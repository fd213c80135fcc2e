import type { RecordedEvent } from '../../domain/cloud-event.ts'
import type { FiringDelivery } from '../../domain/notifications/delivery-plan.ts'
import type { Audience } from '../../domain/notifications/notification-preferences.ts'
import type { Channel, Delivery, Notification } from '../../domain/notifications/notification.ts'
import type { Claim } from '../ports.ts'

/** A delivery whose time has come, with what is needed to carry it out. */
export interface DueDelivery extends FiringDelivery {
  destination: Destination
  /** Of a digest: what quiet hours held back and it carries, on whichever channel. */
  carried: FiringDelivery[]
}

/** Where it goes; `none` when the user no longer has this channel. */
export type Destination =
  | { channel: 'email'; address: string }
  | { channel: 'web_push'; subscriptionId: string; endpoint: string; keys: { p256dh: string; auth: string } }
  | { channel: 'mobile_push'; subscriptionId: string; token: string }
  | { channel: 'webhook'; url: string; secret: string }
  | { channel: 'none' }

export interface DeliveryQueue {
  /** Deliveries of a channel in state `triggered` to be tried now, the earliest first (SKIP LOCKED). */
  claimDue(channel: ExternalChannel, claim: Claim): Promise<DueDelivery[]>
  /** Those of one notification, on every channel. */
  claimForNotification(notificationId: string, claim: Claim): Promise<DueDelivery[]>
  /** The same without claiming it; null when it is not in state `triggered` any more. */
  get(deliveryId: string): Promise<DueDelivery | null>
  /** What was claimed with this claim is left alone until then, by everybody; no try is counted. */
  postpone(deliveryId: string, claim: Claim, until: Date): Promise<void>
  /** The event that goes to the dead letters when a notification cannot be delivered. */
  eventOf(notification: Notification): Promise<RecordedEvent | null>
  /**
   * A user whose quiet hours are over by now and what was held back for them, the earliest first, of at most `limit`
   * notifications; null when there is nobody.
   */
  claimHeld(claim: Claim): Promise<{ audience: Audience; held: HeldDelivery[] } | null>
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

/** What one request has marked as read; `seq` is its place among what the app shows. */
export interface ReadTogether {
  seq: number
  /** Null when they are too many to name. */
  ids: string[] | null
  unread: number
}

export interface NotificationReader {
  /** At most `limit`, and no more than about 1 MB; `unread` counts all. */
  list(
    userId: string,
    query: { before: number | null; onlyUnread: boolean; limit: number },
  ): Promise<{ items: ShownNotification[]; unread: number; hasMore: boolean }>
  /** The next ones after a place, in order; none when there are none. */
  after(userId: string, seq: number, limit: number): Promise<ShownNotification[]>
  /** The last place that is taken: where a stream begins that resumes nothing. */
  lastSeq(userId: string): Promise<number>
  /** One that the app shows; null when there is none of this user's. */
  get(userId: string, id: string): Promise<Notification | null>
  /** The newest `limit` that are unread, and how many there are. */
  unread(userId: string, limit: number): Promise<{ ids: string[]; unread: number }>
  /** What was read after a place, in order, with how many are unread by now; all up to the place `upTo` is in it. */
  readAfter(userId: string, seq: number, limit: number): Promise<{ reads: ReadTogether[]; upTo: number }>
}

/** Read here, changed through ChangeStore. */
export interface PreferenceStore {
  get(userId: string): Promise<{ audience: Audience; accountTimeZone: string | null }>
  /** Of each task with a due time this is asked, and most often nothing else, so it is asked alone. */
  defaultReminderMinutes(userId: string): Promise<number | null>
}

export interface PushSubscription {
  id: string
  userId: string
  /** The sign-in with which it ends; null for one that was added by a token of no session. */
  sessionId: string | null
  channel: 'web_push' | 'mobile_push'
  /** The push service's URL, or the FCM registration token. */
  endpoint: string
  keys: { p256dh: string; auth: string } | null
  createdAt: Date
  /** When it took its first message; until then it gets no other. */
  confirmedAt: Date | null
}

export interface SubscriptionStore {
  list(userId: string): Promise<PushSubscription[]>
  /**
   * The one with this endpoint if the user has it; `taken` when it is another user's and the keys differ, `signed_out` when
   * its session is over.
   */
  add(
    subscription: PushSubscription,
    most: number,
  ): Promise<PushSubscription | 'taken' | 'too_many' | 'signed_out'>
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

export type ExternalChannel = Exclude<Channel, 'in_app'>

/** One per channel. Never rejects: whatever goes wrong is a `failed`. */
export type Senders = {
  [Name in ExternalChannel]: (
    message: Message,
    destination: Extract<Destination, { channel: Name }>,
  ) => Promise<SendResult>
}

/** Where requests to addresses that users name may go; see shared/channels/safe-fetch.ts. */
export interface OutboundPolicy {
  /** Why nothing is ever sent to this URL, in words for the user; null when it may be tried. Asks no name server. */
  objection(url: string): string | null
  /** The form in which a URL is kept: as it is sent, so that two spellings of one are one. What is no URL stays. */
  normal(url: string): string
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

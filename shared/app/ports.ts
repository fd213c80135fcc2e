import type { ActorView, Client, TraceContext } from '../domain/actor.ts'
import type { DecidedRows } from '../domain/decision.ts'
import type { EventDraft } from '../domain/draft-event.ts'
import type { Notification } from '../domain/notifications/notification.ts'
import type { Limited, Limits, Quotas } from '../domain/quotas.ts'
import type { RateLimit } from '../domain/rate-limit.ts'
import type { Occurrence, Series } from '../domain/recurrence/series.ts'
import type { Reminder } from '../domain/reminders/reminder.ts'
import type { Placed } from '../domain/tasks/reorder.ts'
import type { Above } from '../domain/tasks/subtasks.ts'
import type { Task } from '../domain/tasks/task.ts'
import type { Accounts, ClientDocuments, Identity } from './auth/ports.ts'
import type { AuditTrail, AuditTree, CheckpointCopies, CheckpointKeys } from './audit/ports.ts'
import type { SidecarHealth } from './health/ports.ts'
import type {
  DeliveryQueue,
  NotificationReader,
  OutboundPolicy,
  PreferenceStore,
  PushKeys,
  Senders,
  SubscriptionStore,
} from './notifications/ports.ts'
import type { Broker, DeadLetters, Outbox, Publishing } from './outbox/ports.ts'
import type { LoadedSeries, WaitingSeriesReader } from './recurrence/ports.ts'
import type { Alarms, LoadedReminder, ReminderQueue, ReminderReader } from './reminders/ports.ts'
import type { ChangeLog, ChangeSignal, LiveConnections, Snapshots } from './sync/ports.ts'
import type { SuggestionReader } from './suggestions/ports.ts'
import type {
  Housekeeping,
  ListPosition,
  LoadedTask,
  SubtaskQuery,
  TagDelta,
  TaskReader,
  ZoneStore,
} from './tasks/ports.ts'
import type { Upstreams } from './web/ports.ts'

/** Types only: what use cases and functions may ask of the world. Adapters implement them, nobody else knows how. */

export interface Clock {
  now(): Date
}

/** Calls `work` once after `ms`, unless what it returns is called before. */
export type StartTimer = (work: () => void, ms: number) => () => void

export interface Ids {
  /** UUID v7, increasing within this process (RFC 9562 §5.7). */
  uuid(): string
  /** `bytes` random bytes as lower-case hexadecimal. */
  hex(bytes: number): string
}

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Who is calling. `userId` comes from the token and from nowhere else. */
export interface Actor {
  userId: string
  view: ActorView
  timeZone: string
  scopes: readonly string[]
  /** What the access ends with: the sign-in that the token comes from, where it is one of ours, or the API token. */
  sessionId?: string
  /** The program that its user has let in (OAuth). */
  clientId?: string
  /** When the token ends, in seconds as in JWT. A ticket ends with the token that asked for it. */
  exp?: number
}

/** `admitLookup` throws where a token that may be guessed is not to be looked for; see RequestLimit. */
export type Authenticate = (token: string, admitLookup?: () => void) => Promise<Actor>

/** What accompanies every write of a request. */
export interface WriteContext {
  actor: Actor
  client: Client
  now: Date
  trace: TraceContext | null
  /** Versions that `If-Match` accepts; null when the header is absent or `*`. */
  ifMatch: readonly number[] | null
  /** Versions that `If-None-Match` does not accept. */
  ifNoneMatch: readonly number[]
  /** `keepMs`: for how long a repetition is known, a day unless it says otherwise. */
  idempotency: { key: string; fingerprint: string; keepMs?: number } | null
}

/** What a function answers: the body, and whether it is the stored answer of an earlier attempt. */
export interface Answer<Body> {
  body: Body
  replayed?: boolean
  /** The body changes without its version, so a 304 would hide something. */
  variesWithTime?: boolean
}

/** There is nothing to answer yet. Until there is news the request takes nothing of its user's share. */
export interface Later<Body> {
  news: Promise<void>
  answer: () => Promise<Answer<Body> | Later<Body>>
  /** Where it is not asked for the answer any more. */
  end: () => void
}

/** What a consumer leaves behind together with its effect, so that it has it once for an event. */
interface DedupeMark {
  consumer: string
  eventId: string
}

/** One decided change of one user. It is applied as a whole or not at all; a changed row carries its new version. */
export interface Change extends DecidedRows {
  userId: string
  at: Date
  changedTasks?: Task[]
  /** `fact`: the index in `events` of the one that shows it in the app, whose place it gets; null while none does. */
  newNotifications?: { notification: Notification; fact: number | null }[]
  /** Those that existed and that the app shows from now on. */
  shownNotifications?: { id: string; fact: number }[]
  /** Those that the app shows and that are unread until now. */
  readNotifications?: { id: string; fact: number }[]
  tagDeltas?: TagDelta[]
  activeDelta: number
  completedDelta: number
  events: EventDraft[]
  /** Of a request; what follows from events and time is never refused. */
  limits?: Limits
  /** A second change with the same mark is refused. */
  processed?: DedupeMark
  idempotency?: { key: string; fingerprint: string; answer: unknown; expiresAt: Date }
}

/** `conflict`: a row has another version, or the occurrence exists; load again and decide again. */
export type CommitResult =
  | { outcome: 'applied' }
  | { outcome: 'replayed'; answer: unknown }
  | { outcome: 'conflict' }
  | { outcome: 'already_processed' }
  | { outcome: 'account_deleted' }
  | { outcome: 'in_flight' }
  | { outcome: 'key_reused' }
  | { outcome: 'over_limit'; limited: Limited }

/** What a request with an Idempotency-Key was answered, and a digest of that request. */
export interface StoredAnswer {
  fingerprint: string
  answer: unknown
}

/** Loads and commits. Within `exclusively`, no other write of the user comes in between. */
export interface ChangeStore {
  /** A task of the user with its series and reminders, deleted ones included; one round trip. */
  loadTask(userId: string, taskId: string, key: string | null, now: Date): Promise<LoadedTask>
  /** A reminder with its task; one round trip. */
  loadReminder(userId: string, reminderId: string, key: string | null, now: Date): Promise<LoadedReminder>
  loadSeries(userId: string, seriesId: string): Promise<Series | null>
  /** An active series without a live task, with what its next occurrence follows from; one round trip. */
  loadWaiting(userId: string, seriesId: string): Promise<LoadedSeries | null>
  /** The occurrence completed or skipped at this instant; where there is none, the one closed last, if any. */
  lastClosed(seriesId: string, at: Date | null): Promise<Occurrence | null>
  /** Occurrences from this instant on, earliest first. */
  loadOccurrences(seriesId: string, from: Date, limit: number): Promise<Occurrence[]>
  /** Those of the user's tasks that exist and are not deleted, in no order. */
  loadTasks(userId: string, ids: readonly string[]): Promise<Task[]>
  /** Reminders of these tasks that the user has not removed, whatever their state; the default one even then. */
  loadReminders(userId: string, taskIds: readonly string[]): Promise<Reminder[]>
  /** Other open tasks of a series, newest occurrence first. */
  loadOpenSiblings(userId: string, seriesId: string, excluding: string, limit: number): Promise<Task[]>
  /** The places of those of the user's tasks that exist and are not deleted, in no order. */
  loadPlaces(userId: string, ids: readonly string[]): Promise<Placed[]>
  /** The places after one in the user's order (position, then id). */
  loadFollowing(userId: string, after: ListPosition, limit: number): Promise<Placed[]>
  /** The place just before one, leaving one task out. */
  loadPreceding(userId: string, before: ListPosition & { excluding: string }): Promise<Placed | null>
  /** The task and its ancestors, nearest first; empty when the task is not the user's or deleted. */
  ancestors(userId: string, taskId: string): Promise<Above[]>
  /** Tasks below a task on all levels: parents before their children, and else in the user's order. */
  loadSubtasks(userId: string, taskId: string, query: SubtaskQuery): Promise<Task[]>
  /** How many tasks below a task count as its subtasks (shared/domain/tasks/subtasks.ts). */
  countSubtasks(userId: string, taskId: string): Promise<number>
  /**
   * The series of these tasks, and those whose next occurrence would lie below one of them and is still to be made, or was
   * when they ended at `endedAt`.
   */
  loadSeriesBelow(userId: string, taskIds: readonly string[], endedAt: Date | null): Promise<Series[]>
  storedAnswer(userId: string, key: string, now: Date): Promise<StoredAnswer | null>
  /** Of a key whose answer is kept until then or less long; the next request with it is a new one. */
  forgetAnswer(userId: string, key: string, keptUntil: Date): Promise<void>
  loadPreferences: PreferenceStore['get']
  defaultReminderMinutes: PreferenceStore['defaultReminderMinutes']
  commit(change: Change): Promise<CommitResult>
  /**
   * Commits changes of one user together, in their order, up to the first that is refused: its result is the last. Fewer
   * results than changes mean that the rest was not tried; there is one at least.
   */
  commitAll(changes: readonly Change[]): Promise<CommitResult[]>
  exclusively<T>(userId: string, work: (store: ChangeStore) => Promise<T>): Promise<T>
}

/** Whether a unit's HTTP functions are one app of Dapr, or each has its own (decision 093). */
export type Granularity = 'unit' | 'function'

export interface Settings {
  /** Secret the sidecar shows (`dapr-api-token`) on topic, job and cron routes. */
  appToken: string
  issuer: string
  audience: string
  quotas: Quotas
  /** Who may have an account: everybody, those with an invitation, or nobody new. */
  registration: 'open' | 'invite' | 'closed'
  /** To one user; what is more comes in one digest when the hour is over. 0: no limit. */
  maxMailsPerHour: number
  /** To one host of webhooks and push endpoints in an hour, over all users; the rest waits for the next. 0: no limit. */
  maxFirstMessagesPerHost: number
  maxDeliveriesPerHost: number
  /** Ways to reach a device that this Daybook lacks, each with what it would take. */
  disabledChannels: Readonly<Partial<Record<'web_push' | 'mobile_push', string>>>
  /** Whether what this peer says of the client's address is believed. */
  isTrustedProxy: (address: string) => boolean
  /** Null for no limit. */
  rateLimit: RateLimit | null
  /** How much of a user's requests runs at once; a plain request weighs 1 (shared/kit/edge/turns.ts). */
  maxWeightOfUser: number
  /** So long an entry of the audit trail is kept. */
  auditDays: number
  logRequests: boolean
  /** For how long the changes can be read; null for ever. */
  keepEventsDays: number | null
  /** Whose pages may read answers in a browser, as `https://app.example.org`. */
  corsOrigins: readonly string[]
  /** The zone database of this process, as `2026a`. */
  zoneDatabase: string
  granularity: Granularity
  /** Keeps the digests of addresses in the log from being looked up. */
  addressKey: string
}

/** All a function may use, built once per process. */
export interface Deps {
  clock: Clock
  startTimer: StartTimer
  ids: Ids
  log: Log
  changes: ChangeStore
  tasks: TaskReader
  suggestions: SuggestionReader
  waitingSeries: WaitingSeriesReader
  outbox: Outbox
  changeLog: ChangeLog
  changeSignal: ChangeSignal
  snapshots: Snapshots
  housekeeping: Housekeeping
  accounts: Accounts
  auditTrail: AuditTrail
  clientDocuments: ClientDocuments
  auditTree: AuditTree
  checkpointKeys: CheckpointKeys
  checkpointCopies: CheckpointCopies
  zones: ZoneStore
  broker: Broker
  publishing: Publishing
  sidecar: SidecarHealth
  upstreams: Upstreams
  reminders: ReminderReader
  dueReminders: ReminderQueue
  alarms: Alarms
  notifications: NotificationReader
  streams: LiveConnections
  deliveries: DeliveryQueue
  senders: Senders
  preferences: PreferenceStore
  subscriptions: SubscriptionStore
  outbound: OutboundPolicy
  pushKeys: PushKeys
  deadLetters: DeadLetters
  database: { ping(): Promise<boolean> }
  identity: Identity
  authenticate: Authenticate
  settings: Settings
}

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

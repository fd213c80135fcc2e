import type { ActorView, TraceContext } from '../domain/actor.ts'
import type { CloudEvent, RecordedEvent } from '../domain/cloud-event.ts'
import type { DecidedRows } from '../domain/decision.ts'
import type { EventDraft } from '../domain/events.ts'
import type { Delivery } from '../domain/notification.ts'
import type { Reminder } from '../domain/reminder.ts'
import type { Occurrence, Series } from '../domain/series.ts'
import type { Task } from '../domain/task.ts'
import type { Identity } from './identity-ports.ts'
import type {
  Alarms,
  DeadLetters,
  DeliveryQueue,
  NotificationFeed,
  NotificationReader,
  Outbound,
  PreferenceStore,
  PushKeys,
  ReminderQueue,
  ReminderReader,
  Senders,
  SubscriptionStore,
} from './reminder-ports.ts'
import type { EventStreams } from './stream-ports.ts'
import type { TaskPage, TaskQuery } from './task-query.ts'

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
}

/** What accompanies every write of a request. */
export interface WriteContext {
  actor: Actor
  now: Date
  trace: TraceContext | null
  /** Versions that `If-Match` accepts; null when the header is absent or `*`. */
  ifMatch: readonly number[] | null
  idempotency: { key: string; fingerprint: string } | null
}

/** What a function answers: the body, and whether it is the stored answer of an earlier attempt. */
export interface Answer<Body> {
  body: Body
  replayed?: boolean
  /** The body changes without its version, so a 304 would hide something. */
  variesWithTime?: boolean
}

export interface TagDelta {
  key: string
  label: string
  active: number
  completed: number
}

/** What a consumer leaves behind together with its effect, so that it has it once for an event. */
export interface DedupeMark {
  consumer: string
  eventId: string
}

/** One decided change of one user. It is applied as a whole or not at all; a changed row carries its new version. */
export interface Change extends DecidedRows {
  userId: string
  at: Date
  changedTasks?: Task[]
  tagDeltas?: TagDelta[]
  activeDelta: number
  completedDelta: number
  events: EventDraft[]
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
  | { outcome: 'in_flight' }
  | { outcome: 'key_reused' }

export interface LoadedTask {
  task: Task | null
  series: Series | null
  /** Those the user has not removed, whatever their state. */
  reminders: Reminder[]
  /** The stored answer of this user's Idempotency-Key, when there is one. */
  stored: { fingerprint: string; answer: unknown } | null
}

export interface LoadedReminder {
  /** Null when the user has removed it, or it is not theirs. */
  reminder: Reminder | null
  /** Null when it has been purged. */
  task: Task | null
  /** Those of its last firing. */
  deliveries: Delivery[]
  stored: LoadedTask['stored']
}

export interface Place {
  position: number
  id: string
}

/** Loads and commits. Within `exclusively`, no other write of the user comes in between. */
export interface ChangeStore {
  /** A task of the user with its series and reminders, deleted ones included; one round trip. */
  loadTask(userId: string, taskId: string, key: string | null, now: Date): Promise<LoadedTask>
  /** A reminder with its task; one round trip. */
  loadReminder(userId: string, reminderId: string, key: string | null, now: Date): Promise<LoadedReminder>
  loadSeries(userId: string, seriesId: string): Promise<Series | null>
  /** The occurrence completed or skipped at this instant; where there is none, the one closed last, if any. */
  lastClosed(seriesId: string, at: Date | null): Promise<Occurrence | null>
  /** Occurrences from this instant on, earliest first. */
  loadOccurrences(seriesId: string, from: Date, limit: number): Promise<Occurrence[]>
  /** Those of the user's tasks that exist and are not deleted, in no order. */
  loadTasks(userId: string, ids: readonly string[]): Promise<Task[]>
  /** Reminders of these tasks that the user has not removed, whatever their state. */
  loadReminders(userId: string, taskIds: readonly string[]): Promise<Reminder[]>
  /** Other tasks of a series that are not deleted, newest occurrence first. */
  loadSiblings(userId: string, seriesId: string, excluding: string, limit: number): Promise<Task[]>
  /** Tasks after a place in the user's order (position, then id). */
  loadFollowing(userId: string, after: Place, limit: number): Promise<Task[]>
  /** The task just before a place, leaving one out. */
  loadPreceding(userId: string, before: Place & { excluding: string }): Promise<Task | null>
  /** The task and its ancestors, nearest first; empty when the task is not the user's or deleted. */
  ancestors(userId: string, taskId: string): Promise<string[]>
  storedAnswer(userId: string, key: string, now: Date): Promise<LoadedTask['stored']>
  loadPreferences: PreferenceStore['get']
  commit(change: Change): Promise<CommitResult>
  exclusively<T>(userId: string, work: (store: ChangeStore) => Promise<T>): Promise<T>
}

/** Reads for people; see shared/app/task-query.ts. */
export interface TaskReader {
  get(userId: string, taskId: string): Promise<{ task: Task; series: Series | null } | null>
  list(userId: string, query: TaskQuery): Promise<TaskPage>
  tags(userId: string, query: { prefix: string; sort: 'usage' | 'name'; limit: number }): Promise<TagUsage[]>
  occurrences(userId: string, seriesId: string, limit: number): Promise<Occurrence[]>
}

export interface TagUsage {
  tag: string
  active: number
  completed: number
}

export interface WaitingSeries {
  userId: string
  seriesId: string
  waitingSince: Date
}

export interface SeriesSweep {
  /** Active series whose live task has been missing since before `idleSince`: those after one, the longest first. */
  withoutLiveTask(idleSince: Date, after: WaitingSeries | null, limit: number): Promise<WaitingSeries[]>
}

export interface Outbox {
  /**
   * Claims users with unpublished events (not those another publisher holds), hands over their events, grouped by user
   * and in sequence, and forgets those that `publish` resolves to. `left`: others are waiting, here or with another.
   */
  drain(
    limit: { users: number; eventsPerUser: number; without: readonly string[] },
    publish: (events: RecordedEvent[]) => Promise<RecordedEvent[]>,
  ): Promise<{ claimed: number; sent: number; left: boolean }>
  /** Events waiting and the time of the oldest. */
  backlog(): Promise<{ waiting: number; oldest: Date | null }>
}

export interface ChangeFeed {
  /** The user's events with a higher sequence number, in order. */
  after(userId: string, sequence: number, limit: number): Promise<RecordedEvent[]>
}

export interface Housekeeping {
  /**
   * Removes at most `batch` of each: old dedupe marks, tasks deleted long ago with their reminders, reminders removed
   * long ago, what was told long ago with its deliveries, dead letters settled long ago, and what has expired of keys,
   * sessions, tickets and counts of failed sign-ins. Resolves to the most of one.
   */
  purge(now: Date, limits: PurgeLimits): Promise<number>
}

export interface PurgeLimits {
  marksBefore: Date
  deletedBefore: Date
  toldBefore: Date
  settledBefore: Date
  batch: number
}

/** The broker, through the sidecar. Both reject when the sidecar is away. */
export interface Broker {
  /** Publishes in one call; resolves to the ids (CloudEvent id) that were not accepted. Key: the user id. */
  publishAll(topic: string, events: CloudEvent[]): Promise<Set<string>>
}

/** Where the occurrences that follow from events are made: here, or by the unit that owns the tasks. */
export interface NextOccurrences {
  /**
   * Gives a series its next occurrence if it has none, in one commit with the mark, so it may be asked again at will.
   * Rejects when it is not known to be done.
   */
  create(request: { userId: string; seriesId: string; trace: TraceContext; mark: DedupeMark }): Promise<void>
}

/** A request as another unit is to get it. */
export interface ForwardedRequest {
  method: string
  /** Path and query. */
  path: string
  headers: Headers
  body: Uint8Array<ArrayBuffer> | null
  /** Whether doing it twice does no more than doing it once. */
  isRepeatable: boolean
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal
}

/** The HTTP functions that run elsewhere, as units of their own (shared/kit/units.ts). */
export interface OtherUnits {
  /**
   * The unit's own answer as it comes, whatever its status. Rejects with a DomainError: `gateway.unreachable` when the
   * unit certainly did not get the request, `gateway.no_answer` and `gateway.timeout` when it may have.
   */
  forward(unit: string, request: ForwardedRequest): Promise<Response>
}

export interface SidecarHealth {
  /** True when the sidecar answers `/v1.0/healthz/outbound` with 204. */
  outbound(): Promise<boolean>
}

/** How publishing is going, for /api/health/status. */
export interface Publishing {
  /** Says that there is something to publish; returns at once. */
  wake(): void
  state(): { status: 'available' | 'queued'; since: Date }
}

export interface Settings {
  /** Secret the sidecar shows (`dapr-api-token`) on topic, job and cron routes. */
  appToken: string
  issuer: string
  audience: string
  /** Whether phones can be reached (FCM). */
  hasMobilePush: boolean
  /** Whether what this peer says of the client's address is believed. */
  isTrustedProxy: (address: string) => boolean
}

/** All a function may use, built once per process. */
export interface Deps {
  clock: Clock
  startTimer: StartTimer
  ids: Ids
  log: Log
  changes: ChangeStore
  tasks: TaskReader
  sweep: SeriesSweep
  outbox: Outbox
  feed: ChangeFeed
  housekeeping: Housekeeping
  broker: Broker
  publishing: Publishing
  sidecar: SidecarHealth
  units: OtherUnits
  nextOccurrences: NextOccurrences
  reminders: ReminderReader
  dueReminders: ReminderQueue
  alarms: Alarms
  notifications: NotificationReader
  notificationFeed: NotificationFeed
  streams: EventStreams
  deliveries: DeliveryQueue
  senders: Senders
  preferences: PreferenceStore
  subscriptions: SubscriptionStore
  outbound: Outbound
  pushKeys: PushKeys
  deadLetters: DeadLetters
  database: { ping(): Promise<boolean> }
  identity: Identity
  authenticate: (token: string) => Promise<Actor>
  settings: Settings
}

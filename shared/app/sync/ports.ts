import type { RecordedEvent } from '../../domain/cloud-event.ts'
import type { PreferencesRecord } from '../../domain/notifications/notification-preferences.ts'
import type { Extent } from '../../domain/sync/cursor.ts'
import type { Actor } from '../ports.ts'

export interface ChangeLog {
  /** The user's events with a higher sequence number, in order: at most `limit`, and no more than about 1 MB. */
  after(
    userId: string,
    sequence: number,
    limit: number,
  ): Promise<Extent & { events: RecordedEvent[]; hasMore: boolean }>
  /** Which of the `users` users after one have an oldest event from before, and the last of those that were looked at. */
  outdated(
    before: Date,
    after: string | null,
    users: number,
  ): Promise<{ users: string[]; last: string | null }>
  /** Forgets what happened before, the oldest first and at most `limit`, and nothing that is still to be published. Resolves to how many. */
  forget(before: Date, userId: string, limit: number): Promise<number>
}

/** All that a user has at one moment. */
export interface Snapshots {
  /** Read as it is taken, all of the same moment: first its place among the changes. Null when too many are being taken. */
  take(userId: string): ReadableStream<SnapshotPart> | null
}

export type SnapshotPart =
  | { head: { history: string; sequence: number; preferences: PreferencesRecord } }
  | { section: string; items: readonly object[] }

/** Tells, within this process, that something of a user has changed; see shared/db/sync/change-signal.ts. */
export interface ChangeSignal {
  /** `onNews` may be called without news, and is called within seconds for news of any process. */
  subscribe(userId: string, onNews: () => void): () => void
}

/** Whose stream it is. It ends with the session and the token that opened it. */
export type StreamOwner = Pick<Actor, 'userId' | 'sessionId' | 'exp'>

export interface ServerSentEvent {
  event: string
  /** What a client that comes back names as the last it saw. */
  id?: number | string
  data: object
}

/** What was found, and whether there is more by now. */
export interface Found<Item> {
  items: Item[]
  hasMore: boolean
}

export interface LiveEvents {
  first: ServerSentEvent
  /** A few of those that follow, in order; nothing when there is no news, null when it is over. It may be asked again when it rejects. */
  next(): Promise<Found<ServerSentEvent> | null>
  /** `onNews` is called when `next` may find something. Resolves to how it is called off. */
  subscribe(onNews: () => void): () => void
}

/** A WebSocket, as far as it is needed here. */
export interface ClientSocket {
  send(text: string, onSent: (error?: Error) => void): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  /** Whether it reads what its client sends. */
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): void
  on(event: 'pong' | 'close', listener: () => void): void
}

/** What is said over a socket. */
export interface Conversation {
  /** Answers a message of the client, which may be anything. */
  take(message: unknown): Promise<object[]>
  /** What there is to tell by itself; nothing when there is no news. It may be asked again when it rejects. */
  next(): Promise<Found<object>>
  subscribe(onNews: () => void): () => void
}

interface Waiting {
  isOver(): boolean
  /** Resolves when there may be news since it was asked last, and when it is over. */
  news(): Promise<void>
  end(): void
}

/** What waits for news in this process. It is limited by user, and ends with its session and with the process. */
export interface LiveConnections {
  /** The body of a stream. It holds nothing before it is read and nothing after it is cancelled. */
  open(owner: StreamOwner, events: LiveEvents): ReadableStream<Uint8Array<ArrayBuffer>>
  /** A request that waits: until `ms` are over, with the signal, or when it has to end. */
  wait(owner: StreamOwner, subscribe: LiveEvents['subscribe'], ms: number, signal: AbortSignal): Waiting
  /** Has a conversation over a socket, until either ends it. */
  converse(owner: StreamOwner, socket: ClientSocket, conversation: Conversation): void
  /** How many there are. */
  count(): number
  /** Ends all at their next pause, and at once whatever begins from now on: the process is about to end. */
  endAll(): void
}

import type { RecordedEvent } from '../../domain/cloud-event.ts'
import type { Actor } from '../ports.ts'

export interface ChangeLog {
  /**
   * The user's events with a higher sequence number, in order: at most `limit`, and no more than about 1 MB. `newest` is the
   * number of the last that ever was, 0 for none, `oldest` of the first that is kept, or would be.
   */
  after(
    userId: string,
    sequence: number,
    limit: number,
  ): Promise<{ events: RecordedEvent[]; hasMore: boolean; oldest: number; newest: number }>
}

/** Whose stream it is. It ends with the session that opened it. */
export type StreamOwner = Pick<Actor, 'userId' | 'sessionId'>

export interface ServerSentEvent {
  event: string
  /** What a client that comes back names as the last it saw. */
  id?: number
  data: object
}

export interface LiveEvents {
  first: ServerSentEvent
  /** A few of those that follow, in order; nothing when there is no news. It may be asked again when it rejects. */
  next(): Promise<ServerSentEvent[]>
  /** `onNews` is called when `next` may find something. Resolves to how it is called off. */
  subscribe(onNews: () => void): () => void
}

export interface EventStreams {
  /** The body of a stream. It holds nothing before it is read and nothing after it is cancelled. */
  open(owner: StreamOwner, events: LiveEvents): ReadableStream<Uint8Array<ArrayBuffer>>
  /** How many are being read. */
  count(): number
  /** Ends all at their next pause, and at once whatever is opened from now on: the process is about to end. */
  endAll(): void
}

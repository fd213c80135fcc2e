/** Types only: live streams of events to clients (Server-Sent Events). */

export interface ServerSentEvent {
  event: string
  /** What a client that comes back names as the last it saw. */
  id?: number
  data: object
}

/** What one stream tells. */
export interface LiveEvents {
  first: ServerSentEvent
  /** A few of those that follow, in order; nothing when there is no news. It may be asked again when it rejects. */
  next(): Promise<ServerSentEvent[]>
  /** `onNews` is called when `next` may find something. Resolves to how it is called off. */
  subscribe(onNews: () => void): () => void
}

export interface EventStreams {
  /**
   * The body of a stream. It holds nothing before it is read and nothing after it is cancelled. `drop` breaks the
   * connection of a client that does not take what it is sent.
   */
  open(owner: string, events: LiveEvents, drop: () => void): ReadableStream<Uint8Array<ArrayBuffer>>
  /** How many are being read. */
  count(): number
  /** Ends all at their next pause, and at once whatever is opened from now on: the process is about to end. */
  endAll(): void
}

import type { CloudEvent, RecordedEvent } from '../../domain/cloud-event.ts'

export interface Outbox {
  /**
   * Claims users with unpublished events (not those another publisher holds), hands over their events, to each user an
   * equal share of `events` and `eventsPerUser` at most, grouped by user and in sequence, and forgets those that `publish`
   * resolves to. `left`: others are waiting, here or with another.
   */
  drain(
    limit: { users: number; events: number; eventsPerUser: number; without: readonly string[] },
    publish: (events: RecordedEvent[]) => Promise<RecordedEvent[]>,
  ): Promise<{ claimed: number; sent: number; left: boolean }>
  /** Events waiting and the time of the oldest. */
  backlog(): Promise<{ waiting: number; oldest: Date | null }>
}

/** The broker, through the sidecar. Both reject when the sidecar is away. */
export interface Broker {
  /**
   * So many events of one user a call may hold: the topic takes them in their order, and none behind one that it
   * refuses. 1 where it does not promise that.
   */
  readonly eventsPerUser: number
  /** Publishes in one call; resolves to the ids (CloudEvent id) that were not accepted. Key: the user id. */
  publishAll(topic: string, events: CloudEvent[]): Promise<Set<string>>
}

/** How publishing is going, for /api/health/status. */
export interface Publishing {
  /** Says that there is something to publish; returns at once. */
  wake(): void
  state(): { status: 'available' | 'queued'; since: Date }
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
  /** Keeps a letter; one that came before is opened again. False when its user has too many that are open. */
  keep(letter: Omit<DeadLetter, 'state' | 'times' | 'resolvedAt'>): Promise<boolean>
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

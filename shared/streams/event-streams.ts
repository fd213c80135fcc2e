import type { OpenSessions } from '../app/auth/ports.ts'
import type { Clock, Ids, Log, StartTimer } from '../app/ports.ts'
import { accessOf } from '../domain/auth/identity-session.ts'
import type { EventStreams, LiveEvents, ServerSentEvent, StreamOwner } from '../app/sync/ports.ts'

export const HEARTBEAT_MS = 30_000
/** Platforms end an answer after five minutes; ours ends before, between two events. */
export const MAX_STREAM_MS = 270_000
/** Streams that began together end apart, up to so much earlier. */
const SPREAD_MS = 30_000
/** How long a client waits before it comes back (`retry`), by why it has to. */
const RETRY_MS = { broken: 3000, over: 500, tooMany: 60_000 }
const MAX_PER_OWNER = 10

interface Options {
  clock: Clock
  ids: Pick<Ids, 'hex'>
  log: Log
  startTimer: StartTimer
  sessions: Pick<OpenSessions, 'watch'>
  mostPerOwner?: number
}

/** The live streams of a process (WHATWG HTML §9.2). Every stream keeps at most one batch that its client has not taken. */
export function createEventStreams(options: Options): EventStreams {
  const { ids, startTimer, sessions, mostPerOwner = MAX_PER_OWNER } = options
  const streams = new Map<string, Set<Stream>>()
  let isOver = false
  let isFailing = false

  const random = (): number => Number.parseInt(ids.hex(4), 16) / 2 ** 32
  /** For clients that are sent away together and shall not come back together. */
  const soon = (): number => Math.round(RETRY_MS.over * (1 + random()))

  /** What came of a read: a database that is away fails every stream every few seconds, which is one line in the log. */
  function note(err: unknown): void {
    if (err !== null && !isFailing) options.log.warn({ err }, 'failed to read live streams; retrying')
    isFailing = err !== null
  }

  function admit(owner: StreamOwner, stream: Stream): () => void {
    const { userId } = owner
    const own = streams.get(userId) ?? new Set()
    streams.set(userId, own.add(stream))
    const forget = (gone: Stream) => {
      if (own.delete(gone) && own.size === 0) streams.delete(userId)
    }
    if (own.size > mostPerOwner) {
      const [oldest] = own
      forget(oldest!)
      oldest!.end(RETRY_MS.tooMany)
    }
    if (isOver) stream.end(soon())
    const callOff = startTimer(() => stream.end(soon()), MAX_STREAM_MS - random() * SPREAD_MS)
    const unwatch = sessions.watch(accessOf(owner), userId, () => stream.end(soon()))
    return () => {
      callOff()
      unwatch()
      forget(stream)
    }
  }

  return {
    open: (owner, events) =>
      createStream(events, {
        clock: options.clock,
        note,
        startTimer,
        admit: (stream) => admit(owner, stream),
      }),
    count: () => [...streams.values()].reduce((sum, own) => sum + own.size, 0),
    endAll() {
      isOver = true
      for (const own of Array.from(streams.values())) for (const stream of Array.from(own)) stream.end(soon())
    },
  }
}

interface Stream {
  /** Ends it at its next pause; the client shall come back after `retryMs`. */
  end(retryMs: number): void
}

interface StreamContext extends Pick<Options, 'clock'> {
  startTimer: StartTimer
  /** Told after every read: null, or why it failed. */
  note: (err: unknown) => void
  /** Called when the client begins to read; the answer is called when it is gone. */
  admit: (stream: Stream) => () => void
}

function createStream(
  events: LiveEvents,
  { clock, note, startTimer, admit }: StreamContext,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  let state: 'new' | 'open' | 'gone' = 'new'
  let endsWith: number | null = null
  let isNews = true
  let isEnding = false
  let isBeat = false
  let wake: (() => void) | undefined
  const releases = new Set<() => void>()

  const isGone = () => state === 'gone'
  const rouse = () => wake?.()
  const news = () => {
    isNews = true
    rouse()
  }
  const end = (retryMs: number) => {
    endsWith ??= retryMs
    rouse()
  }

  function start(): string {
    state = 'open'
    releases.add(admit({ end })).add(events.subscribe(news))
    after(HEARTBEAT_MS, beat)
    return `retry: ${RETRY_MS.broken}\n${format(events.first)}`
  }
  function after(ms: number, run: () => void): void {
    const callOff = startTimer(() => {
      releases.delete(callOff)
      run()
    }, ms)
    releases.add(callOff)
  }
  /** Whoever does not take them is dropped by the server, as with any answer (connections.ts). */
  function beat(): void {
    isBeat = true
    rouse()
    after(HEARTBEAT_MS, beat)
  }
  function release(): void {
    state = 'gone'
    for (const one of releases) one()
    releases.clear()
    rouse()
  }

  /** What is to be sent next, as soon as there is something; null when it was the last, or nobody takes it any more. */
  async function next(): Promise<string | null> {
    for (;;) {
      if (isGone() || isEnding) return null
      if (endsWith !== null) {
        isEnding = true
        return `retry: ${endsWith}\n\n`
      }
      if (isBeat) {
        isBeat = false
        return format({ event: 'heartbeat', data: { server_time: clock.now().toISOString() } })
      }
      if (isNews) {
        isNews = false
        const found = await read()
        if (found.length === 0 || endsWith !== null) continue
        isNews = true // there may be more than one batch
        return found.map(format).join('')
      }
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  /** The client need not know that the database was away for a while: it gets everything afterwards. */
  async function read(): Promise<ServerSentEvent[]> {
    try {
      const found = await events.next()
      note(null)
      return found
    } catch (err) {
      if (isGone()) return []
      note(err)
      after(RETRY_MS.broken, news)
      return []
    }
  }

  return new ReadableStream(
    {
      async pull(controller) {
        const text = state === 'new' ? start() : await next()
        if (isGone()) return // closed or cancelled meanwhile
        if (text !== null) return controller.enqueue(encoder.encode(text))
        release()
        controller.close()
      },
      cancel: release,
    },
    { highWaterMark: 0 },
  )
}

const format = ({ event, id, data }: ServerSentEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

import type { Clock, Ids, Log } from '../app/ports.ts'
import type { EventStreams, LiveEvents, ServerSentEvent } from '../app/stream-ports.ts'

export const HEARTBEAT_MS = 30_000
/** Platforms end an answer after five minutes; ours ends before, between two events. */
export const LONGEST_STREAM_MS = 270_000
/** Streams that began together end apart, up to so much earlier. */
const SPREAD_MS = 30_000
/** How long a client waits before it comes back (`retry`), by why it has to. */
const RETRY_MS = { broken: 3000, over: 500, tooMany: 60_000 }
const MOST_PER_OWNER = 10

/** Runs once after so many ms, unless called off. */
export type SetTimer = (run: () => void, ms: number) => () => void

interface Options {
  clock: Clock
  ids: Pick<Ids, 'hex'>
  log: Log
  setTimer?: SetTimer
  mostPerOwner?: number
}

const setSystemTimer: SetTimer = (run, ms) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/** The live streams of a process (WHATWG HTML §9.2). Every stream keeps at most one batch that its client has not taken. */
export function createEventStreams(options: Options): EventStreams {
  const { ids, setTimer = setSystemTimer, mostPerOwner = MOST_PER_OWNER } = options
  const streams = new Map<string, Set<Stream>>()
  let isOver = false
  let isFailing = false

  const random = (): number => Number.parseInt(ids.hex(4), 16) / 2 ** 32
  /** For clients that are sent away together and shall not come back together. */
  const soon = (): number => Math.round(RETRY_MS.over * (1 + random()))

  /** What came of a read: a database that is away fails every stream every few seconds, which is one line in the log. */
  function note(err: unknown): void {
    if (err !== null && !isFailing) options.log.warn({ err }, 'live streams cannot be read; trying again')
    isFailing = err !== null
  }

  function admit(owner: string, stream: Stream): () => void {
    const own = streams.get(owner) ?? new Set()
    streams.set(owner, own.add(stream))
    const forget = (gone: Stream) => {
      if (own.delete(gone) && own.size === 0) streams.delete(owner)
    }
    if (own.size > mostPerOwner) {
      const [oldest] = own
      forget(oldest!)
      oldest!.end(RETRY_MS.tooMany)
    }
    if (isOver) stream.end(soon())
    const callOff = setTimer(() => stream.end(soon()), LONGEST_STREAM_MS - random() * SPREAD_MS)
    return () => {
      callOff()
      forget(stream)
    }
  }

  return {
    open: (owner, events, drop) =>
      createStream(events, {
        ...{ clock: options.clock, note, setTimer, drop },
        admit: (stream) => admit(owner, stream),
      }),
    count: () => [...streams.values()].reduce((sum, own) => sum + own.size, 0),
    endAll() {
      isOver = true
      for (const own of [...streams.values()]) for (const stream of [...own]) stream.end(soon())
    },
  }
}

interface Stream {
  /** Ends it at its next pause; the client shall come back after `retryMs`. */
  end(retryMs: number): void
}

interface Surroundings extends Pick<Options, 'clock'> {
  setTimer: SetTimer
  /** Told after every read: null, or why it failed. */
  note: (err: unknown) => void
  drop: () => void
  /** Called when the client begins to read; the answer is called when it is gone. */
  admit: (stream: Stream) => () => void
}

function createStream(
  events: LiveEvents,
  { clock, note, setTimer, drop, admit }: Surroundings,
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

  function start(controller: ReadableStreamDefaultController): string {
    state = 'open'
    releases.add(admit({ end })).add(events.subscribe(news))
    after(HEARTBEAT_MS, () => beat(controller))
    return `retry: ${RETRY_MS.broken}\n${format(events.first)}`
  }
  function after(ms: number, run: () => void): void {
    const callOff = setTimer(() => {
      releases.delete(callOff)
      run()
    }, ms)
    releases.add(callOff)
  }
  /** A client that has not taken one heartbeat by the next is dropped, so nothing grows and nothing stays. */
  function beat(controller: ReadableStreamDefaultController): void {
    if (isBeat) {
      release()
      controller.close()
      return drop()
    }
    isBeat = true
    rouse()
    after(HEARTBEAT_MS, () => beat(controller))
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
        if (found.length === 0) continue
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
        const text = state === 'new' ? start(controller) : await next()
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

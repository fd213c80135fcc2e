import type { Clock, StartTimer } from '../app/ports.ts'
import type { Found, LiveEvents, ServerSentEvent } from '../app/sync/ports.ts'

export const HEARTBEAT_MS = 30_000
/** How long a client waits before it comes back after its connection broke (`retry`). */
const RETRY_MS = 3000

interface StreamContext {
  clock: Clock
  startTimer: StartTimer
  /** Told after every read: null, or why it failed. */
  note: (err: unknown) => void
  /** Called when the client begins to read; the answer is called when it is gone. */
  admit: (stream: { end(retryMs: number): void }) => () => void
}

/** Keeps at most one batch that its client has not taken. */
export function createStream(
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
    return `retry: ${RETRY_MS}\n${format(events.first)}`
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
        if (found === null) endsWith ??= 0
        if (found === null || endsWith !== null) continue
        isNews ||= found.hasMore
        if (found.items.length > 0) return found.items.map(format).join('')
        continue
      }
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  /** The client need not know that the database was away for a while: it gets everything afterwards. */
  async function read(): Promise<Found<ServerSentEvent> | null> {
    try {
      const found = await events.next()
      note(null)
      return found
    } catch (err) {
      if (isGone()) return NOTHING
      note(err)
      after(RETRY_MS, news)
      return NOTHING
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

const NOTHING = { items: [], hasMore: false }

const format = ({ event, id, data }: ServerSentEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

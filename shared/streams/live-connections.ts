import type { OpenSessions } from '../app/auth/ports.ts'
import type { Clock, Ids, Log, StartTimer } from '../app/ports.ts'
import type { LiveConnections, StreamOwner } from '../app/sync/ports.ts'
import { DomainError } from '../domain/errors.ts'
import { accessOf } from '../domain/auth/identity-session.ts'
import { createStream } from './event-stream.ts'
import { holdConversation } from './socket.ts'

/** Platforms end an answer after five minutes; ours ends before, between two events. */
export const MAX_STREAM_MS = 270_000
/** Streams that began together end apart, up to so much earlier. */
const SPREAD_MS = 30_000
/** How long a client waits before it comes back, by why it has to. */
const RETRY_MS = { over: 500, tooMany: 60_000 }
const MAX_PER_OWNER = 10
/** A request waits no longer, so by then one of ten is over. */
const WAIT_AGAIN_SECONDS = 25

interface Options {
  clock: Clock
  ids: Pick<Ids, 'hex'>
  log: Log
  startTimer: StartTimer
  sessions: Pick<OpenSessions, 'watch'>
  mostPerOwner?: number
}

/** A stream, a socket, or a request that waits. */
export interface Connection {
  /** Ends it at its next pause; the client shall come back after `retryMs`. */
  end(retryMs: number, why: 'over' | 'too_many' | 'signed_out'): void
}

/** What waits for news in a process. Of each kind an owner has a few; one more ends the oldest, of requests none begins. */
export function createLiveConnections(options: Options): LiveConnections {
  const { clock, ids, startTimer, sessions, mostPerOwner = MAX_PER_OWNER } = options
  const connections = new Map<string, Set<Connection>>()
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

  function admit(kind: 'stream' | 'socket' | 'wait', owner: StreamOwner, connection: Connection): () => void {
    const name = `${kind} ${owner.userId}`
    const own = connections.get(name) ?? new Set()
    connections.set(name, own.add(connection))
    const forget = (gone: Connection) => {
      if (own.delete(gone) && own.size === 0) connections.delete(name)
    }
    if (own.size > mostPerOwner) {
      const [oldest] = own
      forget(oldest!)
      oldest!.end(RETRY_MS.tooMany, 'too_many')
    }
    if (isOver) connection.end(soon(), 'over')
    const mostMs = MAX_STREAM_MS - random() * SPREAD_MS
    const tokenMs = owner.exp === undefined ? Infinity : owner.exp * 1000 - clock.now().getTime()
    const why = tokenMs < mostMs ? 'signed_out' : 'over'
    const callOff = startTimer(() => connection.end(soon(), why), Math.max(0, Math.min(mostMs, tokenMs)))
    const unwatch = sessions.watch(accessOf(owner), owner.userId, () => connection.end(soon(), 'signed_out'))
    return () => {
      callOff()
      unwatch()
      forget(connection)
    }
  }

  return {
    open: (owner, events) =>
      createStream(events, {
        clock: options.clock,
        note,
        startTimer,
        admit: (stream) => admit('stream', owner, stream),
      }),
    converse: (owner, socket, conversation) =>
      holdConversation(socket, conversation, {
        clock: options.clock,
        note,
        startTimer,
        admit: (connection) => admit('socket', owner, connection),
      }),
    wait(owner, subscribe, ms, signal) {
      let isDone = false
      let news = Promise.withResolvers<void>()
      const releases: (() => void)[] = []
      const release = () => {
        for (const one of releases.splice(0)) one()
      }
      const tell = () => news.resolve()
      const end = () => {
        isDone = true
        tell()
        release()
      }
      // Would the oldest end, its client would ask again at once and end the next.
      if ((connections.get(`wait ${owner.userId}`)?.size ?? 0) >= mostPerOwner) {
        throw new DomainError('rate_limit.exceeded', 'Too many requests wait for changes.', {
          retryAfterSeconds: WAIT_AGAIN_SECONDS,
        })
      }
      releases.push(admit('wait', owner, { end }), subscribe(tell), startTimer(end, ms))
      signal.addEventListener('abort', end)
      releases.push(() => signal.removeEventListener('abort', end))
      if (signal.aborted || isDone) end()
      return {
        isOver: () => isDone,
        async news() {
          await news.promise
          if (!isDone) news = Promise.withResolvers()
        },
        end,
      }
    },
    count: () => [...connections.values()].reduce((sum, own) => sum + own.size, 0),
    endAll() {
      isOver = true
      for (const own of Array.from(connections.values()))
        for (const connection of Array.from(own)) connection.end(soon(), 'over')
    },
  }
}

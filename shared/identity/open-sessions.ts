import type { IdentityStore, OpenSessions, SessionSignal } from '../app/auth/ports.ts'
import type { Clock, StartTimer } from '../app/ports.ts'
import { MINUTE_MS } from '../domain/durations.ts'
import { createLru } from '../domain/lru.ts'

/** Beyond these, the one that was asked about the longest ago is asked about anew. */
const MAX_KNOWN = 10_000
/** As long as a token is believed that was verified. */
const KNOWN_MS = 5 * MINUTE_MS
/** How late a process hears of an end at most that nobody could tell it. */
export const POLL_MS = 10_000

interface Known {
  userId: string
  /** One that has ended stays so. */
  isOpen: boolean
  untilMs: number
}

interface Watched {
  userId: string
  listeners: Set<() => void>
}

interface Options {
  store: Pick<IdentityStore, 'openSessions'>
  signal: SessionSignal
  clock: Clock
  startTimer: StartTimer
}

/**
 * Which sessions are open, as a process remembers it: the first request of a session asks the database, the others ask nobody.
 * The process that ends a session tells the others by NOTIFY; one query every ten seconds finds what was not heard, of all
 * sessions that are remembered or have live streams. Without those there is neither connection nor timer.
 */
export function createOpenSessions({ store, signal, clock, startTimer }: Options): OpenSessions {
  const known = createLru<Known>(MAX_KNOWN)
  const asking = new Map<string, { userId: string; answer: Promise<boolean> }>()
  const watched = new Map<string, Watched>()
  let running: { stop(): void } | undefined

  function learn(id: string, userId: string, isOpen: boolean): void {
    known.set(id, { userId, isOpen, untilMs: clock.now().getTime() + KNOWN_MS })
    running ??= run()
  }

  /** However many requests of a session come at once, one asks. What was told meanwhile makes its answer good for them alone. */
  function ask(id: string, userId: string): Promise<boolean> {
    const asked = asking.get(id)
    if (asked) return asked.answer
    const answer = store
      .openSessions([id], clock.now())
      .then((open) => {
        if (asking.get(id)?.answer === answer) learn(id, userId, open.has(id))
        return open.has(id)
      })
      .finally(() => {
        if (asking.get(id)?.answer === answer) asking.delete(id)
      })
    asking.set(id, { userId, answer })
    return answer
  }

  /** Ends those of the sessions that are not open any more; resolves to whether there were any. */
  async function check(sessions: ReadonlyMap<string, string>): Promise<boolean> {
    if (sessions.size === 0) return false
    const open = await store.openSessions([...sessions.keys()], clock.now())
    const ended = [...sessions].filter(([id]) => !open.has(id))
    for (const [id, userId] of ended) {
      learn(id, userId, false)
      const listeners = watched.get(id)?.listeners ?? []
      // Two may be asking at once; a stream is told once.
      watched.delete(id)
      for (const onEnded of listeners) onEnded()
    }
    return ended.length > 0
  }

  function forget(userId: string): void {
    for (const [id, session] of known.entries()) if (session.userId === userId) known.delete(id)
    for (const [id, session] of asking) if (session.userId === userId) asking.delete(id)
    const streaming = [...watched].filter(([, session]) => session.userId === userId)
    check(userIds(streaming)).catch(() => {}) // the next poll does it
  }

  /** Those to ask about: what is remembered as open, of which the oldest is forgotten, and what has streams. */
  function toCheck(): Map<string, string> {
    const nowMs = clock.now().getTime()
    const remembered = [...known.entries()]
    for (const [id, { untilMs }] of remembered) if (untilMs <= nowMs) known.delete(id)
    return userIds([...remembered.filter(([, { isOpen, untilMs }]) => isOpen && untilMs > nowMs), ...watched])
  }

  function run() {
    const checkAll = () => check(toCheck())
    const listen = () => signal.listen(forget, () => void checkAll().catch(() => {}))
    let stopListening = listen()
    let callOff = startTimer(() => void poll(), POLL_MS)
    let isStopped = false
    let wasAway = false

    async function poll(): Promise<void> {
      const found = await checkAll().catch(() => null)
      if (isStopped) return
      // Whoever heard nothing of it listens anew, as after an outage.
      if (found === true || (found !== null && wasAway)) {
        stopListening()
        stopListening = listen()
      }
      wasAway = found === null
      if (watched.size === 0 && known.entries().next().done) return stop()
      callOff = startTimer(() => void poll(), POLL_MS)
    }
    function stop(): void {
      isStopped = true
      running = undefined
      callOff()
      stopListening()
    }
    return { stop }
  }

  return {
    isOpen(id, userId, now) {
      const session = known.get(id)
      return session && session.untilMs > now.getTime() ? session.isOpen : ask(id, userId)
    },
    watch(id, userId, onEnded) {
      const session = watched.get(id) ?? { userId, listeners: new Set() }
      watched.set(id, session)
      session.listeners.add(onEnded)
      running ??= run()
      // It may have ended since its ticket was taken.
      if (!known.get(id)?.isOpen) check(new Map([[id, userId]])).catch(() => {})
      return () => {
        session.listeners.delete(onEnded)
        if (session.listeners.size === 0 && watched.get(id) === session) watched.delete(id)
      }
    },
    forget,
    stop: () => running?.stop(),
  }
}

const userIds = (sessions: readonly [string, { userId: string }][]): Map<string, string> =>
  new Map(sessions.map(([id, { userId }]) => [id, userId]))

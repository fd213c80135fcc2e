import type { Deps, StartTimer } from '../ports.ts'
import type { Publishing } from './ports.ts'
import { publishPending } from './publish-events.ts'

const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 10_000
/** When another publisher holds users, it may have read their events before the newest were written. */
const LOOK_AGAIN_MS = 200
/** How long a run is followed by rest, as a multiple of what it took: what is written meanwhile goes out together. */
const REST = 3
const MAX_REST_MS = 100

export interface Publisher extends Publishing {
  /** Publishes what is waiting now and stops; for shutdown. */
  stop(): Promise<void>
}

/**
 * The publisher of this process: woken by every commit, one run at a time, wakes during a run are one more run after a
 * rest. So publishing leaves most of a busy process to its requests, and a lone event goes out at once. While the broker
 * is away it tries again with growing pauses, whatever wakes it; a user whose events are refused is tried again at the
 * same pace while the others go on. Requests never wait for it.
 */
export function createPublisher(
  deps: Pick<Deps, 'outbox' | 'broker' | 'log' | 'clock'>,
  startTimer: StartTimer,
): Publisher {
  let running: Promise<void> | null = null
  let isWanted = false
  let isStopped = false
  let isAway = false
  let refused: ReadonlySet<string> = new Set()
  let pauseMs = 0
  let cancelRest: (() => void) | undefined
  let cancelPause: (() => void) | undefined
  let cancelLook: (() => void) | undefined
  let status: { status: 'available' | 'queued'; since: Date } = {
    status: 'available',
    since: deps.clock.now(),
  }

  const start = () => {
    isWanted = true
    // A pause after a failure is not cut short: commits would otherwise hammer a broker that is away.
    if (!isStopped && !isAway && !cancelRest) running ??= run()
  }
  const enter = (next: 'available' | 'queued') => {
    if (status.status !== next) status = { status: next, since: deps.clock.now() }
  }
  const lookAgain = () => {
    cancelLook ??= startTimer(() => {
      cancelLook = undefined
      start()
    }, LOOK_AGAIN_MS)
  }
  const pause = () => {
    pauseMs = Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), MAX_PAUSE_MS)
    cancelPause = startTimer(() => {
      cancelPause = undefined
      isAway = false
      refused = new Set()
      start()
    }, pauseMs)
  }

  const rest = (tookMs: number): boolean => {
    const ms = Math.min(tookMs * REST, MAX_REST_MS)
    if (isStopped || ms <= 0) return false
    cancelRest = startTimer(() => {
      cancelRest = undefined
      if (isWanted) start()
    }, ms)
    return true
  }

  const run = async () => {
    try {
      let isResting: boolean
      do {
        isWanted = false
        const startedAt = deps.clock.now().getTime()
        const published = await publishPending(deps, refused)
        refused = new Set([...refused, ...published.refused])
        if (published.isHeldElsewhere && !isStopped) lookAgain()
        isResting = rest(deps.clock.now().getTime() - startedAt)
      } while (isWanted && !isResting)
    } catch (err) {
      if (status.status === 'available')
        deps.log.warn({ err }, 'queueing events until the broker is available')
      isAway = true
    } finally {
      running = null
      if (isAway || refused.size > 0) {
        enter('queued')
        if (!isStopped && !cancelPause) pause()
      } else {
        pauseMs = 0
        enter('available')
      }
    }
  }

  return {
    wake: start,
    state: () => status,
    stop: async () => {
      isStopped = true
      cancelRest?.()
      cancelRest = undefined
      cancelPause?.()
      cancelLook?.()
      await running
      isWanted = true
      await run()
    },
  }
}

import type { Deps, Publishing } from './ports.ts'
import { publishPending } from './publish-events.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** When another publisher holds users, it may have read their events before the newest were written. */
const LOOK_AGAIN_MS = 200

export interface Publisher extends Publishing {
  /** Publishes what is waiting now and stops; for shutdown. */
  stop(): Promise<void>
}

/**
 * The publisher of this process: woken by every commit, one run at a time, wakes during a run are one more run. While
 * the broker is away it tries again with growing pauses, whatever wakes it; requests never wait for it.
 */
export function createPublisher(deps: Pick<Deps, 'outbox' | 'broker' | 'log' | 'clock'>): Publisher {
  let running: Promise<void> | null = null
  let isWanted = false
  let isStopped = false
  let pauseMs = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let status: { status: 'available' | 'queued'; since: Date } = {
    status: 'available',
    since: deps.clock.now(),
  }

  const enter = (next: 'available' | 'queued') => {
    if (status.status !== next) status = { status: next, since: deps.clock.now() }
  }
  const run = async () => {
    try {
      while (isWanted) {
        isWanted = false
        const isHeldElsewhere = await publishPending(deps)
        if (isHeldElsewhere && !isStopped) timer ??= setTimeout(resume, LOOK_AGAIN_MS)
      }
      pauseMs = 0
      enter('available')
    } catch (err) {
      if (status.status === 'available') deps.log.warn({ err }, 'events are queued until the broker is back')
      enter('queued')
      pauseMs = Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
      if (!isStopped) timer = setTimeout(resume, pauseMs)
    } finally {
      running = null
    }
  }
  const resume = () => {
    timer = undefined
    isWanted = true
    if (running === null) running = run()
  }
  return {
    wake: () => {
      isWanted = true
      // A pause after a failure is not cut short: commits would otherwise hammer a broker that is away.
      if (!isStopped && timer === undefined && running === null) running = run()
    },
    state: () => status,
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await running
      isWanted = true
      await run()
    },
  }
}

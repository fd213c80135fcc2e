import type { Clock, Log, StartTimer } from '../app/ports.ts'

export interface Poll {
  name: string
  run: () => Promise<unknown>
  /** When there is something to do next; null: nothing that is known of. */
  nextAt: () => Promise<Date | null>
  /** It runs at least this often. */
  everyMs: number
}

export interface Ticker {
  /** Waits for the run that is under way and begins no other. */
  stop(): Promise<void>
}

/** After a failure, and between two runs that follow each other closely. */
const PAUSE_MS = { afterFailure: 1000, least: 20 }

/** Runs at once, then whenever the next work comes up and at least every so often, one run after the other, until it is stopped. */
export function startTicker(
  { name, run, nextAt, everyMs }: Poll,
  { clock, log, startTimer }: { clock: Clock; log: Log; startTimer: StartTimer },
): Ticker {
  let isStopped = false
  let isFailing = false
  let cancel = () => {}

  const tick = async () => {
    const pauseMs = await runOnce()
    if (!isStopped) cancel = startTimer(() => void (running = tick()), pauseMs)
  }
  /** Resolves to how long to wait for the next run. */
  const runOnce = async (): Promise<number> => {
    try {
      await run()
      const next = await nextAt()
      isFailing = false
      const untilNextMs = next ? next.getTime() - clock.now().getTime() : everyMs
      return Math.min(Math.max(untilNextMs, PAUSE_MS.least), everyMs)
    } catch (err) {
      // A database that is away would fill the log with the same line.
      if (!isFailing) log.error({ err, function: name }, 'failed to poll; retrying every second')
      isFailing = true
      return PAUSE_MS.afterFailure
    }
  }
  let running = tick()
  return {
    stop: async () => {
      isStopped = true
      cancel()
      await running
    },
  }
}

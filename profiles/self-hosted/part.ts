import { setTimeout as delay } from 'node:timers/promises'
import type { Program } from '../../tools/program.ts'
import { describeEnd } from '../../tools/program-log.ts'

const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 15_000
/** Who lived this long has recovered; its next death is a new one. */
const RECOVERED_AFTER_MS = 60_000

/** A child of the self-hosted profile. One that dies by itself is started again after a pause, in the same place. */
export interface Part {
  /** "kafka", "tasks-api", "tasks-api daprd" … */
  readonly name: string
  readonly pid: number
  /** False from the death of the process until its successor is ready. */
  readonly isUp: boolean
  /** SIGKILL. It stays down until `restart`. */
  kill(): Promise<void>
  /** Ends it (SIGTERM) where it still runs and starts it again, same ports, same data; resolves when it is ready. */
  restart(): Promise<void>
  /** What the present process has written, at most its last megabyte. */
  log(): string
}

export interface SupervisedPart extends Part {
  /** SIGTERM, for good. */
  stop(): Promise<void>
}

/** Starts a part and keeps it alive. Rejects when it does not start the first time. */
export async function supervise(
  name: string,
  start: () => Promise<Program>,
  say: (line: string) => void,
): Promise<SupervisedPart> {
  let program = await start()
  let isUp = true
  let isWanted = true
  let patience = new AbortController()
  let reviving: Promise<void> = Promise.resolve()
  let pauseMs = FIRST_PAUSE_MS

  async function watch(): Promise<void> {
    const since = performance.now()
    const end = await program.exited
    isUp = false
    if (!isWanted) return
    if (performance.now() - since > RECOVERED_AFTER_MS) pauseMs = FIRST_PAUSE_MS
    say(`${name} died: ${describeEnd(end)}; restarting in ${pauseMs / 1000} s`)
    reviving = revive(patience.signal)
  }

  async function revive(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await delay(pauseMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)
      try {
        await begin()
        say(`${name} is back`)
        return
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        say(`${name} failed to restart: ${reason}; next attempt in ${pauseMs / 1000} s`)
      }
    }
  }

  async function begin(): Promise<void> {
    program = await start()
    isUp = true
    void watch()
  }

  /** From here on nobody brings it back but the caller. */
  async function letGo(): Promise<void> {
    isWanted = false
    patience.abort()
    await reviving
  }

  void watch()
  return {
    name,
    get pid() {
      return program.pid
    },
    get isUp() {
      return isUp
    },
    log: () => program.log(),
    async kill() {
      await letGo()
      await program.kill()
    },
    async restart() {
      await letGo()
      await program.stop()
      isWanted = true
      patience = new AbortController()
      pauseMs = FIRST_PAUSE_MS
      await begin()
    },
    async stop() {
      await letGo()
      await program.stop()
    },
  }
}

/** A clock that moves when told to, and timers that follow it. */
export interface ManualTime {
  now(): Date
  delay(ms: number, signal: AbortSignal): Promise<void>
  /** Moves the clock, stopping at each timer on the way. */
  advance(ms: number): Promise<void>
}

export function createManualTime(start: string): ManualTime {
  let now = Date.parse(start)
  let timers: { at: number; resolve: () => void }[] = []

  return {
    now: () => new Date(now),
    delay(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(new Error('aborted'))
        const timer = { at: now + ms, resolve }
        timers.push(timer)
        signal.addEventListener('abort', () => {
          timers = timers.filter((other) => other !== timer)
          reject(new Error('aborted'))
        })
      })
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const next = timers.toSorted((a, b) => a.at - b.at)[0]
        if (!next || next.at > end) break
        now = Math.max(now, next.at)
        timers = timers.filter((timer) => timer !== next)
        next.resolve()
        // Lets whoever waited go on, and set its next timer, before the clock moves again.
        for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
      }
      now = end
    },
  }
}

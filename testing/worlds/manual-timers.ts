import type { StartTimer } from '../../shared/app/ports.ts'

/** Timers whose time passes only when it is told to. */
export function manualTimers() {
  let now = 0
  const due = new Set<{ at: number; run: () => void }>()
  const startTimer: StartTimer = (run, ms) => {
    const timer = { at: now + ms, run }
    due.add(timer)
    return () => void due.delete(timer)
  }
  return {
    startTimer,
    due,
    advance(ms: number) {
      now += ms
      for (const timer of [...due].toSorted((a, b) => a.at - b.at)) {
        if (timer.at <= now && due.delete(timer)) timer.run()
      }
    },
  }
}

import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Watched {
  /** How late the event loop was at most (monitorEventLoopDelay): a long task, or the machine doing something else. */
  delayMs: number
  /** The longest stretch of processor time of the main thread between two turns of the loop: a long task for certain. */
  busyMs: number
  /** Memory of the process when the watch began, and at most. */
  rssBeforeMiB: number
  rssMiB: number
}

const TICK_MS = 5

/** Watches this process from one call of `read` to the next. */
export function watchProcess(): { read(): Watched } {
  const delay = monitorEventLoopDelay({ resolution: TICK_MS })
  delay.enable()
  let [busyMs, rssBefore, rss] = [0, process.memoryUsage.rss(), 0]
  let cpu = threadCpuMs()
  const look = () => {
    const now = threadCpuMs()
    busyMs = Math.max(busyMs, now - cpu)
    cpu = now
    rss = Math.max(rss, process.memoryUsage.rss())
  }
  setInterval(look, TICK_MS).unref()
  return {
    read() {
      look()
      const watched = {
        delayMs: Math.round(delay.max / 1e6) - TICK_MS,
        busyMs: Math.round(busyMs),
        rssBeforeMiB: toMiB(rssBefore),
        rssMiB: toMiB(rss),
      }
      delay.reset()
      busyMs = 0
      rss = rssBefore = process.memoryUsage.rss()
      return watched
    },
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const toMiB = (bytes: number): number => Math.round(bytes / 2 ** 20)

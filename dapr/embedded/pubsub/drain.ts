import type { SidecarContext } from '../context.ts'

// As long as daprd waits for a subscription to drain.
const DRAIN_MS = 30_000

/** Waits for work to end, but not for ever: an app that never answers must not keep a sidecar from stopping. */
export async function drained(context: SidecarContext, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const tooLate = context.delay(DRAIN_MS, timer.signal).catch(() => {})
  await Promise.race([work, tooLate])
  timer.abort()
}

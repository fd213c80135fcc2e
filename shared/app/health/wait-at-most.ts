import type { Deps } from '../ports.ts'

/** Waits until something has settled, but no longer than so many milliseconds; rejects when it has rejected by then. */
export async function waitAtMost(
  { startTimer }: Pick<Deps, 'startTimer'>,
  ms: number,
  awaited: Promise<unknown>,
): Promise<void> {
  const over = Promise.withResolvers<void>()
  const cancel = startTimer(over.resolve, ms)
  try {
    await Promise.race([awaited, over.promise])
  } finally {
    cancel()
  }
}

import type { SidecarContext } from './context.ts'
import { removeOldMessages } from './pubsub/retention.ts'
import { removeExpiredState } from './state/state-store.ts'

export interface Housekeeping {
  start(): void
  stop(): Promise<void>
}

const EVERY_MS = 10 * 60_000

/** Removes old messages and expired state now and then. Several sidecars may do it at the same time. */
export function createHousekeeping(context: SidecarContext): Housekeeping {
  const { sql, clock, logger } = context
  const stopped = new AbortController()
  let loop: Promise<void> = Promise.resolve()

  async function cleanAlways(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await removeOldMessages(sql, clock.now())
        await removeExpiredState(sql, clock.now())
      } catch (error) {
        logger.error({ err: error }, 'failed to remove expired rows')
      }
      await context.delay(EVERY_MS, stopped.signal).catch(() => {})
    }
  }

  return {
    start() {
      loop = cleanAlways()
    },
    async stop() {
      stopped.abort()
      await loop
    },
  }
}

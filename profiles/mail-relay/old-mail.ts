import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DAY_MS, HOUR_MS } from '../../shared/domain/durations.ts'
import type { Logger } from '../../shared/observability/logger.ts'

const EVERY_MS = HOUR_MS
/** Mails, and drafts that a crash has left. */
const OURS = /\.(eml|tmp)$/

/** Removes the mails written before `before`; a folder that is not there has none. Returns how many. */
export async function removeOldMail(folder: string, before: Date): Promise<number> {
  const names = await readdir(folder).catch(absent([]))
  let removed = 0
  for (const name of names.filter((name) => OURS.test(name))) {
    const path = join(folder, name)
    const file = await stat(path).catch(absent(undefined))
    if (!file || file.mtime >= before) continue
    await rm(path, { force: true })
    removed += 1
  }
  return removed
}

interface Keeping {
  days: number
  clock: { now(): Date }
  log: Pick<Logger, 'warn'>
}

/** Does so now and every hour, until it is stopped. */
export function keepMailbox(folder: string, { days, clock, log }: Keeping): { stop(): Promise<void> } {
  const stopped = new AbortController()
  async function keep(): Promise<void> {
    while (!stopped.signal.aborted) {
      await removeOldMail(folder, new Date(clock.now().getTime() - days * DAY_MS)).catch((error: unknown) =>
        log.warn({ err: error }, 'failed to remove old mail'),
      )
      await delay(EVERY_MS, undefined, { signal: stopped.signal, ref: false }).catch(() => {})
    }
  }
  const loop = keep()
  return {
    async stop() {
      stopped.abort()
      await loop
    },
  }
}

const absent =
  <T>(value: T) =>
  (error: unknown): T => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return value
    throw error
  }

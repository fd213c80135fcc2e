import { createHash } from 'node:crypto'
import type { Deps } from '../../app/ports.ts'
import { networkOf } from '../../domain/auth/identity-throttle.ts'
import { createLru } from '../../domain/lru.ts'
import { takeToken } from '../../domain/rate-limit.ts'

/** Lines for one reason and one client, and lines in all: ordinary refusals are told one by one, a flood is counted. */
const OF_ONE = { perSecond: 1, burst: 20 }
const OF_ALL = { perSecond: 10, burst: 200 }
const MAX_REMEMBERED = 10_000

/** Tells the operator that something was refused, and why. `address` never gets into the log. */
export type NoteRefusal = (message: string, reason: string, address: string | null, fields?: object) => void

/** Writes refusals at warn, with a digest of the client's address that is the same for as long as the process lives. */
export function createRefusalLog({
  settings,
  clock,
  log,
}: Pick<Deps, 'settings' | 'clock' | 'log'>): NoteRefusal {
  const buckets = createLru<number>(MAX_REMEMBERED)
  let suppressed = 0

  function mayWrite(key: string, limit: typeof OF_ONE): boolean {
    const nowMs = clock.now().getTime()
    const taken = takeToken(limit, buckets.get(key) ?? nowMs, nowMs)
    buckets.set(key, taken.fullAtMs)
    return taken.isAllowed
  }

  return (message, reason, address, fields = {}) => {
    const client = digest(`${settings.addressKey} ${networkOf(address)}`)
    if (!mayWrite(`${reason} ${client}`, OF_ONE) || !mayWrite('all', OF_ALL)) {
      suppressed += 1
      return
    }
    log.warn({ ...fields, reason, client, ...(suppressed > 0 && { suppressed }) }, message)
    suppressed = 0
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

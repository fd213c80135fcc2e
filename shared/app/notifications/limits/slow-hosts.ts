import { MINUTE_MS } from '../../../domain/durations.ts'
import { createLru } from '../../../domain/lru.ts'
import type { Deps } from '../../ports.ts'
import type { Destination } from '../ports.ts'
import { namedHost } from './named-host.ts'

/** Whoever takes longer to answer is slow, a while longer than anybody needs. */
const SLOW_AFTER_MS = 5000
const FORGOTTEN_AFTER_MS = 10 * MINUTE_MS
const MAX_HOSTS = 1000

export const SLOW_HOSTS = 'slow hosts'

export interface SlowHosts {
  /** What deliveries have in common that go to one host, or to any of those that are slow: those share one part of the lanes. */
  laneOf(destination: Destination, now: Date): string | undefined
  learn(destination: Destination, begunAt: Date, now: Date): void
}

function createSlowHosts(): SlowHosts {
  /** By host, until when. */
  const slow = createLru<number>(MAX_HOSTS)
  return {
    laneOf(destination, now) {
      const host = namedHost(destination)
      return host !== undefined && (slow.get(host) ?? 0) > now.getTime() ? SLOW_HOSTS : host
    },
    learn(destination, begunAt, now) {
      const host = namedHost(destination)
      if (host === undefined) return
      if (now.getTime() - begunAt.getTime() < SLOW_AFTER_MS) slow.delete(host)
      else slow.set(host, now.getTime() + FORGOTTEN_AFTER_MS)
    },
  }
}

const known = new WeakMap<Deps['senders'], SlowHosts>()

export function slowHostsOf({ senders }: Pick<Deps, 'senders'>): SlowHosts {
  const hosts = known.get(senders) ?? createSlowHosts()
  known.set(senders, hosts)
  return hosts
}

import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { Deps } from '../../app/ports.ts'
import { DomainError } from '../../domain/errors.ts'
import { networkOf } from '../../domain/auth/identity-throttle.ts'
import { createLru } from '../../domain/lru.ts'
import { takeToken, type RateLimit, type Taken } from '../../domain/rate-limit.ts'
import type { AppEnv } from '../base-app.ts'
import { isAsked } from './ask-function.ts'
import { clientAddressOf, proxyList, THIS_MACHINE } from './client-address.ts'

/** All clients of one address together, signed in or not, have so many times what one of them has. */
const CLIENTS_OF_ADDRESS = 10
/** Beyond these, the one that was asked least recently is full again. */
const MAX_BUCKETS = 20_000
/** Asked by the platform. They have a bucket of their own, so that no other requests from its address make one fail. */
const PROBES: ReadonlySet<string> = new Set(['/livez', '/readyz'])

/** Counts the request against whoever sent it; throws `rate_limit.exceeded` when that is too many. */
export interface RequestLimit {
  /** Where nobody signs in. Does nothing when the request was counted before. */
  ofAddress(): void
  ofUser(userId: string): void
  /** Where a token has to be looked for: not for an address that has failed too often. Counts nothing. */
  admitLookup(): void
  /** Where nobody knows yet whose token it is; when it turns out to be nobody's, `ofAddress` counts the request, too. */
  ofToken(token: string): void
}

export const NO_LIMIT: RequestLimit = {
  ofAddress: () => {},
  admitLookup: () => {},
  ofUser: () => {},
  ofToken: () => {},
}

/**
 * Limits how often requests come to this process. Before anything is done those of an address are counted, generously:
 * that makes a flood of bad tokens cheap. Then those of a user, once it is known who asks, or of an address where
 * nobody signs in.
 */
export function rateLimit(deps: Pick<Deps, 'settings' | 'clock' | 'log'>): MiddlewareHandler<AppEnv> {
  const { rateLimit: limit } = deps.settings
  if (!limit) return async (_, next) => await next()
  const isThisMachine = proxyList(THIS_MACHINE)
  const isOurs = (address: string) => isThisMachine(address) || deps.settings.isTrustedProxy(address)
  const buckets = createLru<{ fullAtMs: number }>(MAX_BUCKETS)
  const one: Policy = { name: 'client', limit }
  const all: Policy = {
    name: 'address',
    limit: { perSecond: limit.perSecond * CLIENTS_OF_ADDRESS, burst: limit.burst * CLIENTS_OF_ADDRESS },
  }

  function newBucket(key: string): { fullAtMs: number } {
    const bucket = { fullAtMs: 0 }
    buckets.set(key, bucket)
    return bucket
  }

  function count(c: Context, against: Policy, client: string): void {
    const nowMs = deps.clock.now().getTime()
    const key = `${against.name} ${client}`
    const bucket = buckets.get(key) ?? newBucket(key)
    const taken = takeToken(against.limit, bucket.fullAtMs, nowMs)
    bucket.fullAtMs = taken.fullAtMs
    if (!taken.isAllowed) throw tooMany(against, taken)
    if (against === one) tell(c, against.limit, taken, nowMs)
  }

  /** Whether {@link count} would let it in. */
  function admit(against: Policy, client: string): void {
    const fullAtMs = buckets.get(`${against.name} ${client}`)?.fullAtMs ?? 0
    const taken = takeToken(against.limit, fullAtMs, deps.clock.now().getTime())
    if (!taken.isAllowed) throw tooMany(against, taken)
  }

  function tooMany(against: Policy, taken: Taken): DomainError {
    const seconds = Math.ceil(taken.waitMs / 1000)
    return new DomainError('rate_limit.exceeded', `Too many requests; try again in ${seconds} s.`, {
      retryAfterSeconds: seconds,
      limit: against.limit.burst,
    })
  }

  return async function rateLimit(c, next) {
    if (isAsked(c)) return await next()
    const from = clientAddressOf(deps, c)
    const address = networkOf(from)
    if (PROBES.has(c.req.path)) {
      if (from === null || !isOurs(from)) count(c, one, `probe ${address}`)
      return await next()
    }
    let isCounted = false
    const countOnce = (client: string) => {
      isCounted = true
      count(c, one, client)
    }
    const requestLimit: RequestLimit = {
      ofAddress: () => void (isCounted || countOnce(`address ${address}`)),
      admitLookup: () => void (isCounted || admit(one, `address ${address}`)),
      ofUser: (userId) => countOnce(`user ${userId}`),
      ofToken: (token) => count(c, one, `token ${createHash('sha256').update(token).digest('base64url')}`),
    }
    count(c, all, address)
    c.set('requestLimit', requestLimit)
    if (c.req.header('authorization') === undefined) requestLimit.ofAddress()
    await next()
  }
}

interface Policy {
  name: string
  limit: RateLimit
}

/**
 * As clients read it today (draft-ietf-httpapi-ratelimit-headers-06). Later drafts put the same into two fields, whose
 * form still changes, and every field costs each answer a microsecond.
 */
function tell(c: Context, { burst }: RateLimit, { remaining, fullAtMs }: Taken, nowMs: number): void {
  c.header('ratelimit-limit', String(burst))
  c.header('ratelimit-remaining', String(remaining))
  c.header('ratelimit-reset', String(Math.ceil((fullAtMs - nowMs) / 1000)))
}

import { DAY_MS, HOUR_MS, MINUTE_MS } from '../durations.ts'

export interface Count {
  key: string
  count: number
  resetsAt: Date
}

export interface CountOne extends Omit<Count, 'count'> {
  /** With whose account the count goes; what is counted of a client, or for an address whoever has it, goes with none. */
  userId?: string | undefined
}

/** How often something is told that anybody can make happen. */
export interface Tally {
  key: string
  allUpTo: number
}

interface Limit {
  count: number
  windowMs: number
}

/** Registrations and sign-ins, right or wrong, from one client: each may cost a hash, of which a process makes 600. */
export const ATTEMPTS: Limit = { count: 60, windowMs: MINUTE_MS }
/** Failed sign-ins to one account from one client: what a person with a bad memory needs. */
const FROM_ONE_CLIENT: Limit = { count: 10, windowMs: 15 * MINUTE_MS }
/** From one client to all accounts: one password tried on many of them. Links that lead nowhere count as well. */
export const OF_ONE_CLIENT: Limit = { count: 50, windowMs: 15 * MINUTE_MS }
/** To one account from anywhere: what many clients together may guess (OWASP: tie the counter to the account). */
const FROM_ANYWHERE: Limit = { count: 100, windowMs: HOUR_MS }
/** Of one account's failures in a day so many are told each, then the 32nd, the 64th and so on. */
const REPORTED_FAILURES = { allUpTo: 20, windowMs: DAY_MS }
/** So long a client that signed in to an account is spared what others do to it. */
const FAMILIAR_MS = 30 * DAY_MS

/** What a sign-in is counted under. Keys are texts that the caller has made from account and client. */
export interface LoginKeys {
  accountAndClient: string
  account: string
  client: string
  /** Successes, of this client with this account; registering it is one. */
  familiar: string
  /** Failures of the account that its owner is told of. */
  reported: string
}

export const isFamiliar = (keys: LoginKeys, counts: readonly Count[]): boolean =>
  counts.some(({ key }) => key === keys.familiar)

/** Until when so many attempts are refused, and by a limit of how many; null when they may be made now. */
export function waitBeforeLogin(
  keys: LoginKeys,
  counts: readonly Count[],
  now: Date,
  attempts = 1,
): { seconds: number; limit: number } | null {
  const limits = [
    [keys.accountAndClient, FROM_ONE_CLIENT],
    [keys.client, OF_ONE_CLIENT],
    ...(isFamiliar(keys, counts) ? [] : [[keys.account, FROM_ANYWHERE] as const]),
  ] as const
  const waits = limits.map(([key, limit]) => {
    const counted = counts.find((count) => count.key === key)
    const isOver = counted && counted.count + attempts > limit.count
    const seconds = isOver ? secondsUntil(counted.resetsAt, now) : 0
    return { seconds, limit: limit.count }
  })
  const [longest] = waits.toSorted((a, b) => b.seconds - a.seconds)
  return longest && longest.seconds > 0 ? longest : null
}

export const secondsUntil = (end: Date, now: Date): number =>
  Math.ceil((end.getTime() - now.getTime()) / 1000)

export const failureCounts = (keys: LoginKeys, now: Date, userId: string | undefined): CountOne[] => [
  { key: keys.accountAndClient, resetsAt: after(now, FROM_ONE_CLIENT.windowMs), userId },
  { key: keys.account, resetsAt: after(now, FROM_ANYWHERE.windowMs), userId },
  { key: keys.client, resetsAt: after(now, OF_ONE_CLIENT.windowMs) },
]

/** By what it is decided whether a failure is told. */
export const failureTally = (
  { reported: key }: LoginKeys,
  now: Date,
  userId: string | undefined,
): { counts: CountOne[]; tally: Tally } => ({
  counts: [{ key, resetsAt: after(now, REPORTED_FAILURES.windowMs), userId }],
  tally: { key, allUpTo: REPORTED_FAILURES.allUpTo },
})

export const successCounts = (keys: LoginKeys, now: Date, userId: string): CountOne[] => [
  { key: keys.familiar, resetsAt: after(now, FAMILIAR_MS), userId },
]

export const after = (now: Date, ms: number): Date => new Date(now.getTime() + ms)

/**
 * What counts as one client: an IPv4 address, or the first half of an IPv6 address, because the other half is for its
 * owner to choose (RFC 4291 §2.5.4). All whose address is unknown count as one.
 */
export function networkOf(address: string | null): string {
  if (!address?.includes(':')) return address ?? 'unknown'
  const [head = '', tail] = address.split('::')
  const [left, right] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')))
  const zeros = tail === undefined ? 0 : 8 - (left?.length ?? 0) - (right?.length ?? 0)
  const groups = [...(left ?? []), ...Array<string>(Math.max(0, zeros)).fill('0'), ...(right ?? [])]
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')
}

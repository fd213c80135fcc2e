/** Failed sign-ins counted under one key since the window began. */
export interface FailureCount {
  key: string
  failures: number
  resetsAt: Date
}

interface Limit {
  failures: number
  windowMs: number
}

/** From one client address: what a person with a bad memory needs. */
const FROM_ONE_ADDRESS: Limit = { failures: 10, windowMs: 15 * 60_000 }
/** From anywhere: what many addresses together may guess (OWASP: tie the counter to the account, not the source). */
const FROM_ANYWHERE: Limit = { failures: 100, windowMs: 60 * 60_000 }

/** The two counts a sign-in falls under. Keys are texts that the caller has made from account and address. */
export interface LoginKeys {
  accountAndAddress: string
  account: string
}

/** Seconds until another attempt is looked at, or null when one may be made now. */
export function waitBeforeLogin(keys: LoginKeys, counts: readonly FailureCount[], now: Date): number | null {
  const waits = counts.map((count) => {
    const limit = count.key === keys.accountAndAddress ? FROM_ONE_ADDRESS : FROM_ANYWHERE
    return count.failures >= limit.failures ? count.resetsAt.getTime() - now.getTime() : 0
  })
  const longest = Math.max(0, ...waits)
  return longest > 0 ? Math.ceil(longest / 1000) : null
}

/** The windows that a failure at `now` opens, or counts in when they are open already. */
export const windowsOf = (keys: LoginKeys, now: Date): Omit<FailureCount, 'failures'>[] => [
  { key: keys.accountAndAddress, resetsAt: new Date(now.getTime() + FROM_ONE_ADDRESS.windowMs) },
  { key: keys.account, resetsAt: new Date(now.getTime() + FROM_ANYWHERE.windowMs) },
]

import type { Claim, Deps } from './ports.ts'

/** A claim on at most `limit` rows; a worker that dies keeps them from the others for `leaseMs`. */
export function newClaim({ clock }: Pick<Deps, 'clock'>, leaseMs: number, limit: number): Claim {
  const now = clock.now()
  return { now, leaseUntil: new Date(now.getTime() + leaseMs), limit }
}

import { after } from '../../../domain/auth/identity-throttle.ts'
import { HOUR_MS } from '../../../domain/durations.ts'
import { changedDelivery, type Delivery } from '../../../domain/notifications/notification.ts'
import { digestOf } from '../../auth/refresh-tokens.ts'
import type { Deps } from '../../ports.ts'

/** At most so many under one name in the window that the first of them opens. */
export interface MessageLimit {
  name: string
  most: number
  windowMs?: number
  /** Whose it is, and with whose account it goes. */
  userId?: string
}

export type Limiting = Pick<Deps, 'changes' | 'clock' | 'ids' | 'identity' | 'settings'>

/** Counts one more; when there were too many already, resolves to when there may be another. */
export const countMessage = (
  { identity }: Pick<Deps, 'identity'>,
  { name, most, windowMs = HOUR_MS, userId }: MessageLimit,
  now: Date,
): Promise<Date | null> =>
  identity.store.countUpTo(most, { key: digestOf(name), resetsAt: after(now, windowMs), userId }, now)

export const uncountMessage = ({ identity }: Pick<Deps, 'identity'>, name: string): Promise<void> =>
  identity.store.uncount(digestOf(name))

/** Counts a delivery that is about to be tried, or puts it off until there may be another; false when it was put off. */
export async function admitDelivery(
  deps: Limiting,
  delivery: Delivery,
  limit: MessageLimit,
  postponed: Pick<Delivery, 'reason'> & { state?: 'held' },
): Promise<boolean> {
  const now = deps.clock.now()
  const until = await countMessage(deps, limit, now)
  if (until === null) return true
  const later = changedDelivery(delivery, { ...postponed, nextAttemptAt: until })
  // When somebody else has changed it meanwhile, it was theirs.
  await deps.changes.commit({
    userId: delivery.userId,
    at: now,
    activeDelta: 0,
    completedDelta: 0,
    changedDeliveries: [later],
    events: [],
  })
  return false
}

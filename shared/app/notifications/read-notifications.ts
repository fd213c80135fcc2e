import { DomainError } from '../../domain/errors.ts'
import { readFact } from '../../domain/notifications/notification-facts.ts'
import type { Notification } from '../../domain/notifications/notification.ts'
import { originOf, toChange } from '../commit-decision.ts'
import type { Deps, WriteContext } from '../ports.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export const MAX_READ_AT_ONCE = 5000
/** Each time another device has read some of the same in between. */
const ATTEMPTS = 5

type Reading = Pick<Deps, 'notifications' | 'changes' | 'ids' | 'publishing'>

/** Marks one as read, unless it is: the first time stays. 404 for what the app does not show to this user. */
export async function readNotification(
  deps: Reading,
  write: WriteContext,
  id: string,
): Promise<Notification> {
  const { userId } = write.actor
  const read = await retryOnConflict(ATTEMPTS, async () => {
    const found = await deps.notifications.get(userId, id)
    if (!found) throw new DomainError('notification.not_found', 'There is no such notification.')
    if (found.readAt) return found
    return (await markRead(deps, write, [id])) ? { ...found, readAt: write.now } : 'conflict'
  })
  return read === 'conflict' ? collided() : read
}

/** Marks the newest so many that are unread; tells how many they were, and how many are left. */
export async function readAllNotifications(
  deps: Reading,
  write: WriteContext,
): Promise<{ read: number; unread: number }> {
  const counts = await retryOnConflict(ATTEMPTS, async () => {
    const { ids, unread } = await deps.notifications.unread(write.actor.userId, MAX_READ_AT_ONCE)
    if (ids.length > 0 && !(await markRead(deps, write, ids))) return 'conflict'
    return { read: ids.length, unread: unread - ids.length }
  })
  return counts === 'conflict' ? collided() : counts
}

async function markRead(deps: Reading, write: WriteContext, ids: string[]): Promise<boolean> {
  const fact = readFact(write.actor.userId, ids, write.now)
  const decision = { readNotifications: ids.map((id) => ({ id, shownBy: fact })), facts: [fact] }
  const { outcome } = await deps.changes.commit(toChange(deps, originOf(write), decision))
  if (outcome === 'applied') deps.publishing.wake()
  return outcome === 'applied'
}

function collided(): never {
  throw new DomainError('service.unavailable', 'Other devices are reading the same; try again.', {
    retryAfterSeconds: 1,
  })
}

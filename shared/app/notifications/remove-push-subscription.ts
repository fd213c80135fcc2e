import { DomainError } from '../../domain/errors.ts'
import type { Actor, Answer, Deps } from '../ports.ts'

/** Forgets a device of the caller; what is still on its way to it is not sent any more. */
export async function removePushSubscription(
  { subscriptions }: Pick<Deps, 'subscriptions'>,
  { userId }: Actor,
  id: string,
): Promise<Answer<null>> {
  if (await subscriptions.remove(userId, id)) return { body: null }
  throw new DomainError('subscription.not_found', 'There is no such push subscription.')
}

import { DomainError } from '../domain/errors.ts'
import type { TicketPurpose } from '../domain/identity.ts'
import type { Actor, Deps } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'

/** Who a ticket stands for. It works once: a second use, a late one or one for another purpose is `auth.invalid_token`. */
export async function redeemTicket(
  deps: Pick<Deps, 'identity' | 'clock'>,
  ticket: string,
  purpose: TicketPurpose,
): Promise<Actor> {
  const actor = await deps.identity.store.takeTicket(digestOf(ticket), purpose, deps.clock.now())
  if (!actor) throw new DomainError('auth.invalid_token', 'This ticket was used, has expired or never was.')
  return actor
}

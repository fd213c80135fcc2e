import { DomainError } from '../../domain/errors.ts'
import type { TicketPurpose } from '../../domain/auth/identity.ts'
import type { Actor, Deps } from '../ports.ts'
import { digestOf } from './refresh-tokens.ts'

type Redeeming = Pick<Deps, 'identity' | 'clock'>

/** Who a ticket stands for. It works once: a second use, a late one or one for another purpose is `auth.invalid_token`. */
export const redeemTicket = async (
  { identity, clock }: Redeeming,
  ticket: string,
  purpose: TicketPurpose,
): Promise<Actor> => known(await identity.store.takeTicket(digestOf(ticket), purpose, clock.now()))

/** The same of a ticket that stays as it is. */
export const lookAtTicket = async (
  { identity, clock }: Redeeming,
  ticket: string,
  purpose: TicketPurpose,
): Promise<Actor> => known(await identity.store.findTicket(digestOf(ticket), purpose, clock.now()))

function known(actor: Actor | null): Actor {
  if (!actor) throw new DomainError('auth.invalid_token', 'The ticket is invalid, used or expired.')
  return actor
}

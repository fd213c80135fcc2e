import { MAX_TICKETS, TICKET_SECONDS, type TicketView } from '../../domain/auth/identity.ts'
import { sessionEnded } from '../../domain/auth/identity-session.ts'
import { commitIdentity, type Signing } from './auth-events.ts'
import type { AuthCall } from './ports.ts'
import type { Actor, Answer } from '../ports.ts'
import { digestOf } from './refresh-tokens.ts'

/**
 * A ticket with which the actor's browser may open one live stream within 30 seconds; see redeem-ticket.ts. `auth.invalid_token`
 * when the session has ended, whatever this process has heard of it.
 */
export async function issueTicket(deps: Signing, call: AuthCall, actor: Actor): Promise<Answer<TicketView>> {
  const ticket = `dbt_${deps.ids.hex(32)}`
  const expiresAt = new Date(call.now.getTime() + TICKET_SECONDS * 1000)
  const outcome = await commitIdentity(deps, {
    userId: actor.userId,
    at: call.now,
    newTicket: {
      ticket: { digest: digestOf(ticket), purpose: 'stream', actor, expiresAt },
      most: MAX_TICKETS,
    },
    events: [],
  })
  if (outcome !== 'applied') throw sessionEnded()
  return { body: { ticket, expires_in: TICKET_SECONDS } }
}

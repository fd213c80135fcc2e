import { TokenCreated } from '../domain/events.ts'
import { TICKET_SECONDS, type TicketView } from '../domain/identity.ts'
import { commitIdentity, eventsAbout } from './auth-events.ts'
import type { AuthCall } from './identity-ports.ts'
import type { Actor, Answer, Deps } from './ports.ts'
import { digestOf } from './refresh-tokens.ts'

/** A ticket with which the actor's browser may open one live stream within 30 seconds; see redeem-ticket.ts. */
export async function issueTicket(deps: Deps, call: AuthCall, actor: Actor): Promise<Answer<TicketView>> {
  const ticket = `dbt_${deps.ids.hex(32)}`
  const expiresAt = new Date(call.now.getTime() + TICKET_SECONDS * 1000)
  const events = eventsAbout(deps, call, actor.userId, actor.view)
  await commitIdentity(deps, {
    ...{ userId: actor.userId, at: call.now },
    newTicket: { digest: digestOf(ticket), purpose: 'stream', actor, expiresAt },
    events: events([TokenCreated, { kind: 'ticket' }]),
  })
  return { body: { ticket, expires_in: TICKET_SECONDS } }
}

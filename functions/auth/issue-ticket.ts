import { issueTicket } from '../../shared/app/issue-ticket.ts'
import { TicketView } from '../../shared/domain/identity.ts'
import { authCall } from '../../shared/kit/client.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'
import { noStore } from '../../shared/kit/no-store.ts'

// EventSource and WebSocket cannot send headers, and an access token has no place in a URL.
export default noStore(
  httpFunction({
    route: 'POST /api/auth/ticket',
    summary: 'A ticket that opens one live stream within 30 seconds',
    auth: 'user',
    output: TicketView,
    handle: ({ actor, deps, context }) => issueTicket(deps, authCall(deps, context), actor),
  }),
)

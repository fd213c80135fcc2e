import { issueTicket } from '../../shared/app/auth/issue-ticket.ts'
import { TicketView } from '../../shared/domain/auth/identity.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

// EventSource and WebSocket cannot send headers, and an access token has no place in a URL.
export default httpFunction({
  route: 'POST /api/auth/ticket',
  summary: 'A ticket that opens one live stream within 30 seconds',
  auth: 'notifications:read',
  noTool: 'a ticket opens a live stream in a browser',
  uses: ['identity', 'events'],
  output: TicketView,
  handle: ({ call, actor, deps }) => issueTicket(deps, call, actor),
})

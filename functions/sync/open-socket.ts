import { redeemTicket } from '../../shared/app/auth/redeem-ticket.ts'
import { talkChanges } from '../../shared/app/sync/talk-changes.ts'
import { socketFunction } from '../../shared/kit/sockets/socket-function.ts'

// What is said over it: docs/sync.md.
export default socketFunction({
  serves: ['GET /api/tasks/ws', 'GET /api/:user_id/tasks/ws'],
  auth: 'changes:read',
  uses: ['events', 'identity', 'streams'],
  takeTicket: (deps, ticket) => redeemTicket(deps, ticket, 'stream'),
  converse: talkChanges,
})

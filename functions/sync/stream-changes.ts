import { z } from 'zod'
import { lookAtTicket, redeemTicket } from '../../shared/app/auth/redeem-ticket.ts'
import { CHANGE_EVENTS, streamChanges } from '../../shared/app/sync/stream-changes.ts'
import { CursorText } from '../../shared/domain/sync/cursor.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/changes/stream',
  summary: "The user's events as a stream (Server-Sent Events), starting after Last-Event-ID, a cursor",
  auth: 'changes:read',
  uses: ['events', 'identity', 'streams'],
  weight: 2,
  ticket: {
    find: (deps, ticket) => lookAtTicket(deps, ticket, 'stream'),
    take: (deps, ticket) => redeemTicket(deps, ticket, 'stream'),
  },
  refuses: ['changes.cursor_gone'],
  query: z.strictObject({
    last_event_id: CursorText.optional().describe(
      'Instead of the header Last-Event-ID, which takes precedence; without either from the first event there was, which is a 410 where that is not kept any more: begin with a snapshot',
    ),
  }),
  events: CHANGE_EVENTS,
  handle: ({ actor, query, deps }) => streamChanges(deps, actor, query.last_event_id),
})

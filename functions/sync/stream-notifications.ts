import { z } from 'zod'
import { lookAtTicket, redeemTicket } from '../../shared/app/auth/redeem-ticket.ts'
import { NOTIFICATION_EVENTS, streamNotifications } from '../../shared/app/sync/stream-notifications.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/stream',
  summary: 'Notifications as a stream (Server-Sent Events), starting after Last-Event-ID',
  auth: 'notifications:read',
  uses: ['notifications', 'identity', 'streams'],
  ticket: {
    find: (deps, ticket) => lookAtTicket(deps, ticket, 'stream'),
    take: (deps, ticket) => redeemTicket(deps, ticket, 'stream'),
  },
  query: z.strictObject({
    last_event_id: z
      .string()
      .regex(/^\d{1,15}$/, 'must be the id of an event')
      .transform(Number)
      .optional()
      .describe('Instead of the header Last-Event-ID, which takes precedence'),
  }),
  events: NOTIFICATION_EVENTS,
  handle: ({ actor, query, deps }) => streamNotifications(deps, actor.userId, query.last_event_id ?? null),
})

import { z } from 'zod'
import { redeemTicket } from '../../shared/app/redeem-ticket.ts'
import { NOTIFICATION_EVENTS, streamNotifications } from '../../shared/app/stream-notifications.ts'
import { eventStreamAnswer, lastEventId } from '../../shared/kit/event-stream-answer.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/notifications/stream',
  summary: 'Notifications as they come (Server-Sent Events), and first those after Last-Event-ID',
  auth: 'user',
  ticket: (deps, ticket) => redeemTicket(deps, ticket, 'stream'),
  query: z.strictObject({
    last_event_id: z
      .string()
      .regex(/^\d{1,15}$/, 'must be the id of an event')
      .transform(Number)
      .optional()
      .describe('In place of the header Last-Event-ID, which wins'),
  }),
  events: NOTIFICATION_EVENTS,
  handle: async ({ query, actor, deps, context }) => {
    const from = lastEventId(context, query.last_event_id)
    const events = await streamNotifications(deps, actor.userId, from)
    return eventStreamAnswer(deps, context, actor.userId, events)
  },
})

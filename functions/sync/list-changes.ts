import { z } from 'zod'
import { withoutClient } from '../../shared/domain/actor.ts'
import { CloudEvent, toCloudEvent, type RecordedEvent } from '../../shared/domain/cloud-event.ts'
import { DomainError } from '../../shared/domain/errors.ts'
import { isAllowed } from '../../shared/domain/scopes.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const sequence = z
  .string()
  .regex(/^\d{1,20}$/, 'must be a sequence number')
  .default('0')
  .transform(Number)
  .refine(Number.isSafeInteger, 'must be a sequence number')

export default httpFunction({
  route: 'GET /api/changes',
  summary: "The user's events after a sequence number, in order and without a gap",
  auth: 'changes:read',
  tool: {
    description:
      'What happened in the account since a sequence number, oldest first, by whom. Continue with next_since; 0 begins at the oldest.',
    defaults: { limit: 20 },
  },
  uses: ['events'],
  weight: 2,
  refuses: ['changes.cursor_gone'],
  query: z.strictObject({
    since: sequence,
    limit: z.int().min(1).max(1000).default(100),
  }),
  output: z
    .object({
      items: z.array(CloudEvent),
      next_since: z.string().describe('Pass it as `since` to continue'),
      has_more: z.boolean().describe('A page ends after `limit` events, or after about 1 MB'),
    })
    .meta({ id: 'Changes' }),
  handle: async ({ query, actor, deps }) => {
    const { since, limit } = query
    const { events, hasMore, oldest, newest } = await deps.changeLog.after(actor.userId, since, limit)
    // Of a database that was restored since, whose numbers are given a second time.
    if (since > newest) throw cursorGone(`There are no changes after ${newest}.`, newest)
    if (since < oldest - 1) throw cursorGone(`Changes before ${oldest} are not kept.`, newest)
    const last = events.at(-1)?.sequence ?? since
    // From where somebody asked is part of the account, as the addresses of sessions are.
    const view = isAllowed(actor.scopes, 'account:read') ? toCloudEvent : cloudEventWithoutClient
    return {
      body: { items: events.map(view), next_since: String(last), has_more: hasMore },
    }
  },
})

function cloudEventWithoutClient(event: RecordedEvent): CloudEvent {
  const shown = toCloudEvent(event)
  return { ...shown, data: withoutClient(shown.data) }
}

const cursorGone = (reason: string, newest: number): DomainError =>
  new DomainError('changes.cursor_gone', `${reason} Load everything anew, then go on with since=${newest}.`)

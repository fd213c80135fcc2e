import { z } from 'zod'
import { CloudEvent, toCloudEvent } from '../../shared/domain/cloud-event.ts'
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
  auth: 'user',
  query: z.strictObject({
    since: sequence,
    limit: z.coerce.number().int().min(1).max(1000).default(100),
  }),
  output: z
    .object({
      items: z.array(CloudEvent),
      next_since: z.string().describe('Give it as `since` to go on'),
      has_more: z.boolean(),
    })
    .meta({ id: 'Changes' }),
  handle: async ({ query, actor, deps }) => {
    const found = await deps.feed.after(actor.userId, query.since, query.limit + 1)
    const page = found.slice(0, query.limit)
    const last = page.at(-1)?.sequence ?? query.since
    return {
      body: { items: page.map(toCloudEvent), next_since: String(last), has_more: found.length > page.length },
    }
  },
})

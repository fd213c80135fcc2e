import { z } from 'zod'
import { text } from '../../shared/domain/fields.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/tags',
  summary: 'Tags in use, with how many open and completed tasks have them',
  auth: 'tasks:read',
  uses: ['tasks'],
  query: z.strictObject({
    prefix: text(0, 50).default('').describe('Case-insensitive'),
    sort: z.enum(['usage', 'name']).default('usage').describe('usage: most used first'),
    limit: z.int().min(1).max(200).default(50),
  }),
  output: z
    .object({ items: z.array(z.object({ tag: z.string(), active: z.int(), completed: z.int() })) })
    .meta({ id: 'Tags' }),
  handle: async ({ query, actor, deps }) => ({
    body: { items: await deps.tasks.tags(actor.userId, query) },
  }),
})

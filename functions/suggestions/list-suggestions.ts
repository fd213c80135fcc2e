import { z } from 'zod'
import { listSuggestions } from '../../shared/app/suggestions/list-suggestions.ts'
import { timeZone } from '../../shared/domain/fields.ts'
import { Suggestions } from '../../shared/domain/suggestions/suggestion.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/suggestions',
  summary: 'What to do next, and tags, priorities and times of day that open tasks lack',
  auth: 'tasks:read',
  uses: ['suggestions'],
  query: z.strictObject({
    limit: z.int().min(1).max(20).default(5).describe('Of each kind'),
    time_zone: timeZone.optional().describe("IANA zone of times of day; by default the user's, else UTC"),
  }),
  output: Suggestions,
  weight: 2,
  handle: async ({ query, actor, deps }) => ({
    body: await listSuggestions(deps, actor.userId, {
      timeZone: query.time_zone ?? actor.timeZone,
      limit: query.limit,
    }),
  }),
})

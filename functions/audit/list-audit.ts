import { z } from 'zod'
import { listAudit, typesOf } from '../../shared/app/audit/read-audit.ts'
import { AuditEntry } from '../../shared/domain/audit/entry.ts'
import { instant } from '../../shared/domain/fields.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const actionName = z
  .string()
  .regex(/^[a-z_]+(\.[a-z_]+)*$/, 'must be a type of event, or what it begins with')

export default httpFunction({
  route: 'GET /api/audit',
  summary: 'What was done to the account and all that it holds, newest first',
  auth: 'audit:read',
  uses: ['audit'],
  query: z.strictObject({
    limit: z.int().min(1).max(100).default(50),
    cursor: z.string().max(200).optional().describe('next_cursor of the previous page, with the same filter'),
    action: z
      .array(actionName.max(100))
      .min(1)
      .max(20)
      .optional()
      .describe('Types of events, or what they begin with: `task` is every task.*'),
    resource: z
      .string()
      .regex(/^[a-z]+\/[0-9a-f-]{36}$/, 'must be like task/<id>')
      .optional(),
    since: instant.optional().describe('At this instant or later'),
    until: instant.optional().describe('Before this instant'),
  }),
  output: z
    .object({
      items: z.array(AuditEntry),
      next_cursor: z.string().nullable().describe('Null on the last page'),
    })
    .meta({ id: 'AuditList' }),
  handle: async ({ query: { limit, cursor = null, action, ...others }, actor, deps }) => {
    const { resource = null, since = null, until = null } = others
    const filter = { actions: action ? typesOf(action) : null, resource, since, until }
    return { body: await listAudit(deps, actor.userId, filter, { limit, cursor }) }
  },
})

import { z } from 'zod'
import { exportAudit } from '../../shared/app/audit/export-audit.ts'
import { limitReading } from '../../shared/app/audit/limit-reading.ts'
import { AUDIT_FORMATS, AuditExport } from '../../shared/domain/audit/export-audit.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/audit/export',
  summary: 'The whole audit trail in the order of its chain, with what proves it',
  auth: 'audit:read',
  uses: ['audit', 'identity'],
  query: z.strictObject({
    format: z
      .enum(AUDIT_FORMATS)
      .default('json')
      .describe('json and ndjson hold what proves each entry, csv is for tables'),
  }),
  output: AuditExport,
  download: { name: 'audit', extensions: AUDIT_FORMATS },
  refuses: ['rate_limit.exceeded'],
  handle: async ({ query, actor, call, deps }) => {
    await limitReading(deps, actor.userId, call.now)
    return exportAudit(deps, actor.userId, query.format)
  },
})

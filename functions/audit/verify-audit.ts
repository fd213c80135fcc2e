import { z } from 'zod'
import { limitReading } from '../../shared/app/audit/limit-reading.ts'
import { verifyChain } from '../../shared/app/audit/verify-audit.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const Verdict = z
  .object({
    valid: z.boolean(),
    entries: z.int().describe('So many were verified'),
    first_seq: z.int().describe('The first that is kept; older ones were removed for their age'),
    last_seq: z.int(),
    head: z.hex().describe('The hash of the last entry, which stands for all before it'),
    fault: z
      .object({ seq: z.int(), reason: z.string() })
      .nullable()
      .describe('The first entry with which something is wrong'),
    checkpoint: z.string().nullable().describe('The last signed checkpoint; null before the first'),
  })
  .meta({ id: 'AuditVerdict' })

export default httpFunction({
  route: 'GET /api/audit/verify',
  summary: 'Whether the audit trail is whole and unchanged, and otherwise where it is not',
  auth: 'audit:read',
  uses: ['audit', 'identity'],
  weight: 2,
  output: Verdict,
  refuses: ['rate_limit.exceeded'],
  handle: async ({ actor, call, deps }) => {
    await limitReading(deps, actor.userId, call.now)
    const report = await verifyChain(deps.auditTrail, actor.userId)
    return {
      body: {
        valid: !report?.fault,
        entries: report?.entries ?? 0,
        first_seq: report?.first ?? 1,
        last_seq: report?.head.seq ?? 0,
        head: report?.head.hash.toString('hex') ?? '',
        fault: report?.fault ?? null,
        checkpoint: await deps.auditTree.lastNote(),
      },
    }
  },
})

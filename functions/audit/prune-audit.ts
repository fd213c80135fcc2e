import { pruneAudit } from '../../shared/app/audit/prune-audit.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

export default cronFunction({
  schedule: '@every 1h',
  uses: ['audit'],
  everyMs: 3_600_000,
  handle: pruneAudit,
})

import { recordMissed } from '../../shared/app/audit/record-audit.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// The message makes the entry; this finds events that none has told of.
export default cronFunction({
  schedule: '@every 1h',
  uses: ['audit'],
  everyMs: 300_000,
  handle: recordMissed,
})

import { makeCheckpoint } from '../../shared/app/audit/sign-checkpoint.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

export default cronFunction({
  schedule: '@every 1h',
  uses: ['checkpoints', 'events'],
  everyMs: 3_600_000,
  handle: makeCheckpoint,
})

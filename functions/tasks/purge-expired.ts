import { purgeExpired } from '../../shared/app/tasks/purge-expired.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

export default cronFunction({
  schedule: '@every 1h',
  uses: ['housekeeping', 'accounts'],
  everyMs: 3_600_000,
  handle: purgeExpired,
})

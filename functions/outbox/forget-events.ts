import { forgetEvents } from '../../shared/app/outbox/forget-events.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

export default cronFunction({
  schedule: '@every 1h',
  uses: ['events'],
  everyMs: 3_600_000,
  handle: forgetEvents,
})

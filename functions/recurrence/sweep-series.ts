import { sweepSeries } from '../../shared/app/recurrence/sweep-series.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// The event makes the next occurrence; this finds what an event should have made and did not.
export default cronFunction({
  schedule: '@every 5m',
  uses: ['tasks', 'events'],
  wakesOn: 'waitingSeries',
  everyMs: 300_000,
  handle: sweepSeries,
})

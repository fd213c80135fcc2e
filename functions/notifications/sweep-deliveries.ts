import { sweepDeliveries } from '../../shared/app/notifications/sweep-deliveries.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// What is due is in the rows, whatever became of the events that told of it. A try that an event led to and that failed is
// due a second later, and nothing else tells of it.
export default cronFunction({
  schedule: '@every 5m',
  uses: ['deliveries', 'tasks', 'identity', 'events'],
  wakesOn: 'deliveries',
  everyMs: 2000,
  handle: sweepDeliveries,
})

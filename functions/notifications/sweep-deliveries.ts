import { sweepDeliveries } from '../../shared/app/sweep-deliveries.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// What is due is in the rows, whatever became of the events that told of it. A try that an event led to and that failed is
// due a second later, and nothing else tells of it.
export default cronFunction({
  binding: 'delivery-cron',
  handle: (deps) => sweepDeliveries(deps),
  whileAwake: { nextAt: (deps) => deps.deliveries.nextDueAt(), everyMs: 2000 },
})

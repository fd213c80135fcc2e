import { publishPending } from '../../shared/app/publish-events.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// Publishes what the publisher of a process that is gone has left behind.
export default cronFunction({ binding: 'relay-cron', handle: publishPending })

import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// Publishes what the publisher of a process that is gone has left behind.
export default cronFunction({
  schedule: '@every 10s',
  uses: ['events'],
  wakesOn: 'outbox',
  handle: (deps) => publishPending(deps),
})

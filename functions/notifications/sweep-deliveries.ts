import { deliverDue } from '../../shared/app/deliver-notifications.ts'
import type { Deps } from '../../shared/app/ports.ts'
import { releaseHeld } from '../../shared/app/release-held.ts'
import { sendDailyDigests } from '../../shared/app/send-daily-digests.ts'
import { cronFunction } from '../../shared/kit/cron-function.ts'

// What is due is in the rows. Making digests keeps nothing waiting that is to be sent; then what they are is sent as well.
export default cronFunction({
  binding: 'delivery-cron',
  handle: async (deps: Deps) => {
    await Promise.all([deliverDue(deps), releaseHeld(deps), sendDailyDigests(deps)])
    await deliverDue(deps)
  },
  whileAwake: { nextAt: (deps) => deps.deliveries.nextDueAt(), everyMs: 15_000 },
})

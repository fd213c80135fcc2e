import { z } from 'zod'
import { reminderNotFound } from '../../shared/app/write-reminder.ts'
import { ReminderId, reminderWithFirings, ReminderWithFirings } from '../../shared/domain/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/reminders/:id',
  summary: 'One reminder with its ledger: what became of each firing on each channel',
  auth: 'user',
  params: z.object({ id: ReminderId }),
  query: z.strictObject({}),
  output: ReminderWithFirings,
  refuses: ['reminder.not_found'],
  handle: async ({ params, actor, deps }) => {
    const now = deps.clock.now()
    const found = await deps.reminders.get(actor.userId, params.id, now)
    if (!found) throw reminderNotFound()
    const { reminder, deliveries, isClaimed } = found
    const { firedAt, fireAt } = reminder
    // What becomes of a delivery, or of a claim, does not change the reminder's version.
    const variesWithTime = firedAt !== null || (fireAt !== null && fireAt <= now)
    return { body: reminderWithFirings(reminder, deliveries, isClaimed), variesWithTime }
  },
})

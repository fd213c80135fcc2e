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
    const found = await deps.reminders.get(actor.userId, params.id, deps.clock.now())
    if (!found) throw reminderNotFound()
    const { reminder, deliveries, isClaimed } = found
    return { body: reminderWithFirings(reminder, deliveries, isClaimed), variesWithTime: true }
  },
})

import { z } from 'zod'
import { reminderNotFound } from '../../shared/app/reminders/write-reminder.ts'
import { usualChannels } from '../../shared/domain/notifications/new-notification.ts'
import {
  ReminderId,
  reminderWithFirings,
  ReminderWithFirings,
} from '../../shared/domain/reminders/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

export default httpFunction({
  route: 'GET /api/reminders/:id',
  summary: 'One reminder with its ledger: the state of each firing on each channel',
  auth: 'reminders:read',
  uses: ['reminders'],
  params: z.object({ id: ReminderId }),
  query: z.strictObject({}),
  output: ReminderWithFirings,
  refuses: ['reminder.not_found'],
  handle: async ({ params, actor, deps }) => {
    const now = deps.clock.now()
    const found = await deps.reminders.get(actor.userId, params.id, now)
    if (!found) throw reminderNotFound()
    const { reminder, deliveries, audience, isClaimed } = found
    const { firedAt, fireAt } = reminder
    const channels = reminder.channels ?? usualChannels('reminder', audience)
    // What becomes of a delivery, of a claim or of preferences does not change the reminder's version.
    const variesWithTime =
      firedAt !== null || (fireAt !== null && (fireAt <= now || reminder.channels === null))
    return { body: reminderWithFirings(reminder, deliveries, { channels, isClaimed }), variesWithTime }
  },
})

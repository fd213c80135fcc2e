import { z } from 'zod'
import { listAllReminders, MAX_REMINDERS_LISTED } from '../../shared/app/reminders/list-all-reminders.ts'
import { dateOrMoment } from '../../shared/domain/fields.ts'
import { beginningOf } from '../../shared/domain/recurrence/wall-clock.ts'
import { ListedReminderView, REMINDER_STATUSES } from '../../shared/domain/reminders/reminder.ts'
import { httpFunction } from '../../shared/kit/http-function.ts'

const ListedReminders = z
  .object({
    items: z.array(ListedReminderView),
    next_cursor: z.string().nullable().describe('Null on the last page'),
  })
  .meta({ id: 'ListedReminders' })

export default httpFunction({
  route: 'GET /api/reminders',
  summary: 'The reminders of all tasks, by next_fire_at or else remind_at, the earliest first',
  auth: 'reminders:read',
  tool: {
    name: 'list_reminders',
    description: 'The reminders of all tasks with the titles of these, earliest first.',
    defaults: { limit: 20 },
  },
  uses: ['reminders'],
  query: z.strictObject({
    status: z.enum(REMINDER_STATUSES).optional(),
    from: dateOrMoment
      .optional()
      .describe("At this time or later; a local time or date is in the user's time zone"),
    to: dateOrMoment.optional().describe('Earlier than this; a date excludes that day'),
    limit: z.int().min(1).max(MAX_REMINDERS_LISTED).default(50),
    cursor: z.string().max(300).optional().describe('next_cursor of the previous page'),
  }),
  output: ListedReminders,
  handle: async ({ query: { status = null, cursor = null, limit, ...range }, actor, deps }) => {
    const from = beginningOf(range.from, actor.timeZone)
    const to = beginningOf(range.to, actor.timeZone)
    return { body: await listAllReminders(deps, actor.userId, { status, from, to, cursor, limit }) }
  },
})

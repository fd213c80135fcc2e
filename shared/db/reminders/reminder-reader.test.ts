import { expect, it } from 'vitest'
import { systemIds } from '../../kit/system.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createReminderReader } from './reminder-reader.ts'

it('a reminder that has fired thousands of times comes with its last thousand deliveries', async () => {
  const sql = await testDatabase()
  const [userId, reminderId] = [systemIds.uuid(), systemIds.uuid()]
  const now = new Date('2026-03-02T12:00:00.000Z')
  await sql`
    insert into reminders (id, user_id, task_id, origin, remind_at, version, created_at, updated_at)
    values (${reminderId}, ${userId}, ${systemIds.uuid()}, 'user', ${now}, 1, ${now}, ${now})`
  await sql`
    insert into deliveries (id, user_id, notification_id, reminder_id, fire_at, channel, target, state, attempts,
      triggered_at, late, version)
    select gen_random_uuid(), ${userId}, gen_random_uuid(), ${reminderId}, ${now}::timestamptz + n * interval '1 minute',
      'email', gen_random_uuid(), 'delivered', 1, ${now}, false, 1
    from generate_series(1, 3000) n`
  const found = await createReminderReader(sql).get(userId, reminderId, now)
  const minutes = found!.deliveries.map(({ fireAt }) => (fireAt.getTime() - now.getTime()) / 60_000)
  expect(minutes).toEqual(Array.from({ length: 1000 }, (_, index) => 2001 + index))
})

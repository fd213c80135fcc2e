import { describe, expect, it } from 'vitest'
import { recordMissed } from '../../shared/app/audit/record-audit.ts'
import { replayUser } from '../../shared/db/replay/replay-user.ts'
import type { ActorView } from '../../shared/domain/actor.ts'
import { CATALOGUE } from '../../shared/domain/events.ts'
import { taskService } from '../worlds/task-service.ts'
import { CLIENT, FUNCTIONS_OF_HISTORY, live } from './history.ts'

const service = await taskService(FUNCTIONS_OF_HISTORY)
const { sql, deps } = service

const replay = (userId: string, apply = false) => replayUser(sql, userId, { now: service.clock.now(), apply })

const COMMANDS = 130
const HISTORIES = [1, 10, 14]

describe('the events of a user', () => {
  const seen = new Set<string>()

  it.each(HISTORIES)(
    'tell every row and who made it, whatever has happened (history %i)',
    async (seed) => {
      const user = service.newUser({ timeZone: 'Europe/Berlin' })
      await sql`insert into users values (${user.id}, ${`${user.id}@example.org`}, 'x', 'Europe/Berlin', now(), now())`
      await live(service, user, seed, COMMANDS)
      await recordMissed(deps)
      const { events } = await deps.changeLog.after(user.id, 0, 100_000)
      expect(await replay(user.id)).toEqual({ events: events.length, differences: [], applied: 0 })
      for (const { type, source, data } of events) {
        seen.add(type)
        if (source === '/services/test') continue
        const { actor } = data as { actor: ActorView }
        if (actor.type === 'user') expect(actor).toEqual({ type: 'user', id: user.id, ...CLIENT })
        else expect(actor.made_by).toMatch(/^(consumer|cron|job)\/[a-z-]+$/)
      }
      expect(JSON.stringify(events)).not.toMatch(/whsec_|key=x/)
    },
    120_000,
  )

  it('find any row that is another, missing or made up, and make it what they say', async () => {
    const user = service.newUser()
    const task = await user.create({ title: 'Pay rent', tags: ['home'], due_at: '2026-03-09T09:00:00Z' })
    const recurring = {
      recurrence_rule: 'daily',
      due_at: '2026-03-09T09:00:00Z',
      remind_at: '2026-03-09T08:00:00Z',
    }
    const { id: other } = await user.create(recurring)
    await user.does('PUT', '/api/notifications/preferences', {
      webhook_url: 'https://hooks.example.org/secret',
    })
    await recordMissed(deps)
    await sql`update tasks set title = 'Pay nothing' where id = ${task.id}`
    await sql`update series set generated = 7 where user_id = ${user.id}`
    await sql`delete from occurrences where user_id = ${user.id}`
    await sql`delete from reminders where user_id = ${user.id}`
    await sql`insert into notifications (id, user_id, source, type, title, body, late, created_at)
      values (${deps.ids.uuid()}, ${user.id}, 'x', 'reminder', 'Made up', '', false, ${service.clock.now()})`
    await sql`update notification_preferences set channels = '{}' where user_id = ${user.id}`
    await sql`update tags set active = 5 where user_id = ${user.id}`
    await sql`update user_counters set active_tasks = 9 where user_id = ${user.id}`
    const { differences } = await replay(user.id)
    const saying = [
      new RegExp(
        `, tasks ${task.id} has in title "Pay nothing", and the events say "Pay rent"; the last event of it is 1 `,
      ),
      /, series \S+ has in generated 7, and the events say 1/,
      /, occurrences .* is missing; the last event/,
      /, reminders .* is missing/,
      /, notifications .* is in no event/,
      /, notification_preferences {2}has in channels/,
      /, tags home has in active 5, and the events say 1/,
      /, user_counters {2}has in active_tasks 9, and the events say 2/,
    ]
    expect(differences).toEqual(saying.map((pattern) => expect.stringMatching(pattern)))
    expect((await replay(user.id, true)).applied).toBe(8)
    expect((await replay(user.id)).differences).toEqual([])
    const [kept] = await sql`select webhook_url from notification_preferences where user_id = ${user.id}`
    expect(kept).toEqual({ webhook_url: 'https://hooks.example.org/secret' })
    expect((await user.send('GET', `/api/tasks/${other}/reminders`)).status).not.toBe(500)
  })

  it('are missed where one is gone, and compared with the audit trail', async () => {
    const user = service.newUser()
    for (let n = 0; n < 3; n += 1) await user.create()
    await recordMissed(deps)
    await sql`update events set data = jsonb_set(data, '{task,title}', '"Lie"') where user_id = ${user.id} and seq = 2`
    const { differences } = await replay(user.id)
    expect(differences).toEqual([`user ${user.id}: the audit trail does not say what event 2 says`])
    await sql`update events set data = jsonb_set(data, '{task,title}', '"Pay rent"') where user_id = ${user.id} and seq = 2`
    const [row] = await sql<{ event: string }[]>`
      with gone as (delete from events where user_id = ${user.id} and seq = 2 returning *) select to_jsonb(gone)::text as event from gone`
    expect((await replay(user.id)).differences).toEqual([`user ${user.id}: the log lacks event 2`])
    await sql`insert into events select * from jsonb_populate_record(null::events, ${row!.event}::text::jsonb)`
    expect((await replay(user.id)).differences).toEqual([])
  })

  it('are of every type that tasks, reminders and notifications have', () => {
    const all = CATALOGUE.filter(({ topic }) => topic !== 'audit-events').map(({ type }) => type)
    // Of no rows: a series that cannot go on, which no history makes, and feedback, which is kept as events alone.
    expect(all.filter((type) => !seen.has(type))).toEqual([
      'recurring.task.error',
      'suggestion.feedback.given',
    ])
  })
})

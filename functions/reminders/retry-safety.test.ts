import { describe, expect, it } from 'vitest'
import { reminderApi } from '../../testing/worlds/reminder-api.ts'

const { newUser, add } = await reminderApi()

async function reminded() {
  const user = newUser()
  const task = await user.create({ due_at: '2026-03-02T15:00:00Z' })
  const { id, version } = await add(user, task.id, { remind_at: '2026-03-02T14:00:00Z' })
  const seen = (await user.events()).length
  return { user, path: `/api/reminders/${id}`, version, happened: () => user.events(seen) }
}

describe.each<[string, string, string, object?]>([
  ['edit-reminder', 'PATCH', '', { offset_minutes: 30 }],
  ['remove-reminder', 'DELETE', ''],
  ['snooze-reminder', 'POST', '/snooze', { until: '2026-03-09T09:00:00Z' }],
  ['acknowledge-reminder', 'POST', '/acknowledge'],
])('%s', (_name, method, action, body) => {
  it('refuses a stale If-Match, which changes nothing, and takes the current one', async () => {
    const { user, path, version, happened } = await reminded()
    const write = (tag: string) => user.send(method, path + action, body, { 'if-match': tag })
    const conflict = { status: 412, problem: { code: 'reminder.version_conflict' } }
    expect(await write(`"${version + 1}"`)).toMatchObject(conflict)
    expect((await write('4711')).status).toBe(400)
    expect(await happened()).toEqual([])
    expect((await write(`"9", "${version}"`)).status).toBeLessThan(300)
    expect(await happened()).toHaveLength(1)
  })

  it('does a retried write once and answers the same', async () => {
    const { user, path, happened } = await reminded()
    const write = () => user.send(method, path + action, body, { 'idempotency-key': 'retried' })
    const [first, again] = [await write(), await write()]
    expect([again.status, again.body]).toEqual([first.status, first.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await happened()).toHaveLength(1)
  })
})

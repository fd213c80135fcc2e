import { describe, expect, it } from 'vitest'
import type { QuickAddResult } from '../../shared/domain/quick-add/quick-add-task.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService(['tasks/quick-add-task', 'tasks/list-tasks', 'reminders/list-reminders'])
const { newUser, at, sql } = service

const add = async (user: Client, body: string | object, { query = '', headers = {} } = {}) => {
  const input = typeof body === 'string' ? { text: body } : body
  const got = await user.send('POST', `/api/tasks/quick-add${query}`, input, headers)
  return { ...got, result: got.body as QuickAddResult }
}

const rows = async ({ id }: Client) => {
  const [counts] = await sql<{ tasks: number; reminders: number; events: number }[]>`
    select (select count(*)::int from tasks where user_id = ${id}) as tasks,
           (select count(*)::int from reminders where user_id = ${id}) as reminders,
           (select count(*)::int from events where user_id = ${id}) as events`
  return counts
}

describe('POST /api/tasks/quick-add', () => {
  it('makes the task that the text asks for, and says which part of it became what', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const text = 'Pay rent every month on the 1st at 9am !high #home remind me 1 day before'
    const { status, headers, result } = await add(user, `  ${text} `)
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/api/tasks/${result.task.id}`)
    expect(result.task).toMatchObject({
      title: 'Pay rent',
      due_at: '2026-04-01T07:00:00.000Z',
      due_date: '2026-04-01',
      time_zone: 'Europe/Berlin',
      priority: 'high',
      tags: ['home'],
      recurrence_rule: 'FREQ=MONTHLY;BYMONTHDAY=1',
    })
    expect(result.reminders).toMatchObject([
      { offset_minutes: 1440, remind_at: '2026-03-31T07:00:00.000Z', task_id: result.task.id },
    ])
    expect(result.spans.map(({ kind, text: part }) => [kind, part])).toEqual([
      ['recurrence', 'every month on the 1st'],
      ['due', 'at 9am'],
      ['priority', '!high'],
      ['tag', '#home'],
      ['reminder', 'remind me 1 day before'],
    ])
    expect(result.spans.every((span) => text.slice(span.start, span.end) === span.text)).toBe(true)
  })

  it('stores the task with its reminders, and tells of both', async () => {
    const user = newUser()
    const { result } = await add(user, 'Dentist friday 3pm remind me 1 day and 30 minutes before')
    const { items } = (await user.send('GET', '/api/tasks')).body as { items: unknown[] }
    expect(items).toEqual([result.task])
    const kept = (await user.send('GET', `/api/tasks/${result.task.id}/reminders`)).body as {
      items: object[]
    }
    expect(kept.items.length).toBe(2)
    expect((await user.events()).map(({ type }) => type)).toEqual([
      'task.created',
      'reminder.scheduled',
      'reminder.scheduled',
    ])
  })

  it('stores nothing in a dry run, and answers what it would make', async () => {
    const user = newUser()
    const text = 'Dentist friday 3pm remind me 30 minutes before'
    const dry = await add(user, text, { query: '?dry_run=true', headers: { 'idempotency-key': 'dry' } })
    expect(dry.status).toBe(200)
    expect(dry.headers.get('location')).toBeNull()
    expect(await rows(user)).toEqual({ tasks: 0, reminders: 0, events: 0 })
    const { result } = await add(user, text)
    const withoutIds = ({ task: { id: _id, ...task }, reminders, spans }: QuickAddResult) => ({
      task,
      spans,
      offsets: reminders.map(({ offset_minutes }) => offset_minutes),
    })
    expect(withoutIds(dry.result)).toEqual(withoutIds(result))
  })

  it('does it once for a key, whatever the text means by the time of the retry', async () => {
    const user = newUser()
    const retried = { headers: { 'idempotency-key': 'one' } }
    const text = 'Call at 9am remind me 30 minutes before'
    const first = await add(user, text, retried)
    expect(first.result.task.due_at).toBe('2026-03-02T09:00:00.000Z')
    at('2026-03-02T12:00:00Z')
    const second = await add(user, text, retried)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(second.result).toEqual(first.result)
    expect(await rows(user)).toEqual({ tasks: 1, reminders: 1, events: 2 })
    expect((await add(user, 'Something else', retried)).status).toBe(422)
  })

  it('reads times in the zone of the user, or in the one that is given', async () => {
    const user = newUser({ timeZone: 'America/New_York' })
    expect((await add(user, 'Call tomorrow at 9am')).result.task.due_at).toBe('2026-03-03T14:00:00.000Z')
    const given = await add(user, { text: 'Call tomorrow at 9am', time_zone: 'Asia/Tokyo' })
    expect(given.result.task).toMatchObject({ due_at: '2026-03-03T00:00:00.000Z', time_zone: 'Asia/Tokyo' })
  })

  it('moves a time that the clocks leave out forward, and keeps it for all other days', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    at('2026-03-28T22:30:00Z')
    const { result } = await add(user, 'Backup every day at 2:30am')
    expect(result.task).toMatchObject({
      due_at: '2026-03-29T01:30:00.000Z',
      recurrence_rule: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30',
    })
    await user.does('POST', `/api/tasks/${result.task.id}/complete`)
    await service.deliver()
    const { items } = (await user.send('GET', '/api/tasks?status=active')).body as {
      items: { due_at: string }[]
    }
    expect(items.map(({ due_at }) => due_at)).toEqual(['2026-03-30T00:30:00.000Z'])
  })

  it.each([
    ['day first', { text: 'Party 3/4/2027', language: 'en-GB' }, '2027-04-03'],
    ['month first', { text: 'Party 3/4/2027' }, '2027-03-04'],
    ['weeks from Sunday', { text: 'Party next week', first_day_of_week: 'SU' }, '2026-03-08'],
    ['weeks from Monday', { text: 'Party next week' }, '2026-03-09'],
  ])('reads %s where it is asked to', async (_, body, date) => {
    expect((await add(newUser(), body)).result.task.due_date).toBe(date)
  })

  it.each([
    ['what leaves no title', { text: 'tomorrow at 5pm #home' }, 'leaves no title'],
    ['a title that is too long', { text: `${'a'.repeat(256)} tomorrow` }, 'title'],
    ['a text that is too long', { text: 'a'.repeat(501) }, '500'],
    ['a text of blanks', { text: '   ' }, ''],
    [
      'a reminder that has passed',
      { text: 'Call at 8:10 remind me 30 minutes before' },
      'must be in the future',
    ],
    ['half a surrogate pair', { text: 'a \uD800 tomorrow' }, 'Unicode'],
  ])('refuses %s, and names the text', async (_, body, message) => {
    const user = newUser()
    const { status, problem } = await add(user, body)
    expect([status, problem.errors?.map(({ path }) => path)]).toEqual([422, ['text']])
    expect(problem.errors?.[0]?.message).toContain(message)
    expect(await rows(user)).toEqual({ tasks: 0, reminders: 0, events: 0 })
  })

  it('refuses a language that it does not know, by name', async () => {
    const { status, problem } = await add(newUser(), { text: 'Call', language: 'tlh' })
    expect([status, problem.errors?.map(({ path }) => path)]).toEqual([422, ['language']])
  })
})

import { describe, expect, it } from 'vitest'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser } = service

const refused = async (user: Client, input: object) => {
  const got = await user.send('POST', '/api/tasks', { title: 'Pay rent', ...input })
  return { status: got.status, paths: got.problem.errors?.map(({ path }) => path) }
}

describe('POST /api/tasks', () => {
  it('answers 201 with the whole task, where it is and its version', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    const got = await user.send('POST', '/api/tasks', {
      title: '  Pay rent ',
      due_at: '2026-03-30T23:30:00+02:00',
    })
    expect(got.status).toBe(201)
    expect(got.headers.get('location')).toBe(`/api/tasks/${got.task.id}`)
    expect(got.headers.get('etag')).toBe('"1"')
    expect(got.task).toEqual({
      id: expect.any(String),
      user_id: user.id,
      title: 'Pay rent',
      description: null,
      priority: 'medium',
      priority_color: 'yellow',
      tags: [],
      is_completed: false,
      completed_at: null,
      due_date: '2026-03-30',
      due_at: '2026-03-30T21:30:00.000Z',
      time_zone: 'Europe/Berlin',
      remind_at: null,
      is_recurring: false,
      recurrence_rule: null,
      series_id: null,
      occurrence_at: null,
      repeat_from: 'due',
      month_end: null,
      exdates: [],
      rdates: [],
      parent_id: null,
      position: expect.any(Number),
      version: 1,
      created_at: '2026-03-02T08:00:00.000Z',
      updated_at: '2026-03-02T08:00:00.000Z',
      deleted_at: null,
    })
  })

  it('records task.created with the full task, its maker and the trace of the request', async () => {
    const user = newUser()
    const task = await user.does(
      'POST',
      '/api/tasks',
      { title: 'Pay rent' },
      {
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    )
    const [event, ...others] = await user.events()
    expect(others).toEqual([])
    expect(event).toMatchObject({
      seq: 1,
      type: 'task.created',
      subject: `task/${task.id}`,
      source: '/services/tasks',
      data: { task, actor: { type: 'user', id: user.id } },
      traceparent: expect.stringMatching(
        /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)\w{16}-01$/,
      ),
    })
  })

  it('keeps a date without a time as a date', async () => {
    const task = await newUser().create({ due_date: '2026-12-01' })
    expect(task).toMatchObject({ due_date: '2026-12-01', due_at: null })
  })

  it('takes due_at with its own day in the zone of the task, and refuses another day', async () => {
    const user = newUser()
    const due = { due_at: '2026-12-01T23:30:00Z', time_zone: 'Asia/Tokyo' }
    expect(await user.create({ ...due, due_date: '2026-12-02' })).toMatchObject({ due_date: '2026-12-02' })
    expect(await refused(user, { ...due, due_date: '2026-12-01' })).toEqual({
      status: 422,
      paths: ['due_date'],
    })
  })

  it.each(['\u200bx', '👩\u200d👧', '\u202eעברית', '一', '.'])('takes the title %j', async (title) => {
    expect((await newUser().create({ title })).title).toBe(title)
  })

  it('keeps the first spelling and place of tags that differ only in case', async () => {
    const user = newUser()
    const task = await user.create({ tags: ['Home', 'garden', 'HOME', ' home ', 'Café', 'Cafe\u0301'] })
    expect(task.tags).toEqual(['Home', 'garden', 'Café'])
  })

  it.each([
    ['a title that is missing', { title: undefined }, ['title']],
    ['an empty title', { title: '   ' }, ['title']],
    ['a title of 256 characters', { title: 'x'.repeat(256) }, ['title']],
    ['a title of zero width', { title: '\u200b\u200d\u2060' }, ['title']],
    ['a title of a soft hyphen and control characters', { title: '\u00ad\u0001\u0085' }, ['title']],
    ['a title of fillers and blanks that are letters', { title: '\u3164\u115f\uffa0 \u2800' }, ['title']],
    ['a title of tags and selectors', { title: '\u{e0041}\ufe0f\u034f\u202e' }, ['title']],
    ['a tag that nobody sees', { tags: ['\u200b'] }, ['tags.0']],
    ['a title that is no text', { title: 5 }, ['title']],
    ['NUL in the title', { title: 'a\u0000b' }, ['title']],
    ['half a surrogate pair in the title', { title: 'a\ud800b' }, ['title']],
    ['a description of 5001 characters', { description: 'x'.repeat(5001) }, ['description']],
    ['NUL in the description', { description: '\u0000' }, ['description']],
    ['a priority that does not exist', { priority: 'urgent' }, ['priority']],
    ['21 tags', { tags: Array.from({ length: 21 }, (_, n) => `tag ${n}`) }, ['tags']],
    ['a tag of 51 characters', { tags: ['ok', 'x'.repeat(51)] }, ['tags.1']],
    ['an empty tag', { tags: [' '] }, ['tags.0']],
    ['NUL in a tag', { tags: ['a\u0000'] }, ['tags.0']],
    ['tags that are no list', { tags: 'home' }, ['tags']],
    ['a due_at that is no time', { due_at: '2026-12-01T25:00:00' }, ['due_at']],
    ['a due_at without a time', { due_at: '2026-12-01' }, ['due_at']],
    ['a wall time before 1900', { due_at: '1899-12-31T23:59:59' }, ['due_at']],
    ['a due_at before 1900', { due_at: '1899-12-31T23:59:59Z' }, ['due_at']],
    ['a due_at after 2199', { due_at: '2200-01-01T00:00:00Z' }, ['due_at']],
    ['30 February', { due_date: '2026-02-30' }, ['due_date']],
    ['a zone that does not exist', { time_zone: 'Europe/Atlantis' }, ['time_zone']],
    ['an offset for a zone', { time_zone: '+01:00' }, ['time_zone']],
    ['a remind_at that is no instant', { remind_at: 'tomorrow' }, ['remind_at']],
    ['a parent_id that is no id', { parent_id: '42' }, ['parent_id']],
    ['a parent that does not exist', { parent_id: '0199d0a0-0000-7000-8000-000000000000' }, ['parent_id']],
    ['a rule without a start', { recurrence_rule: 'daily' }, ['due_at']],
    ['dates of a series without a rule', { exdates: ['2026-12-01T09:00:00Z'] }, ['recurrence_rule']],
    ['501 exdates', { exdates: Array.from({ length: 501 }, () => '2026-12-01T09:00:00Z') }, ['exdates']],
    ['a month_end that does not exist', { month_end: 'last' }, ['month_end']],
    ['a repeat_from that does not exist', { repeat_from: 'never' }, ['repeat_from']],
    ['fields that do not exist', { id: 'x', colour: 'red' }, ['id', 'colour']],
    ['several faults at once', { title: '', priority: 1, tags: ['a', ''] }, ['title', 'priority', 'tags.1']],
  ])('refuses %s, naming the field', async (_, input, paths) => {
    const user = newUser()
    expect(await refused(user, input)).toEqual({ status: 422, paths })
    expect(await user.events()).toEqual([])
  })

  it.each([
    ['FREQ=MINUTELY', /FREQ cannot be MINUTELY/],
    ['FREQ=DAILY;BYSECOND=9', /BYSECOND/],
    ['FREQ=DAILY;COUNT=0', /COUNT/],
    ['FREQ=DAILY;COUNT=3;UNTIL=20261231', /UNTIL/],
    ['INTERVAL=2', /FREQ/],
    ['FREQ=WEEKLY;BYDAY=XX', /BYDAY/],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', /no occurrence/],
    ['FREQ=DAILY;UNTIL=20200101', /no occurrence/],
    ['every monday', /FREQ=WEEKLY/],
    ['FREQ=DAILY\u0000', /FREQ/],
  ])('refuses the rule %j, naming the part', async (recurrence_rule, message) => {
    const got = await newUser().send('POST', '/api/tasks', {
      title: 'Water plants',
      due_at: '2026-12-01T09:00:00Z',
      recurrence_rule,
    })
    expect(got.status).toBe(422)
    expect(got.problem.errors).toEqual([{ path: 'recurrence_rule', message: expect.stringMatching(message) }])
  })

  it('knows own fields of a JSON object only', async () => {
    const got = await newUser().send(
      'POST',
      '/api/tasks',
      '{"title":"Pay rent","__proto__":{"priority":"high"}}',
    )
    expect(got.status).toBe(422)
  })

  it('hides a parent of another user', async () => {
    const [ada, eve] = [newUser(), newUser()]
    const parent = await ada.create()
    expect(await refused(eve, { parent_id: parent.id })).toEqual({ status: 422, paths: ['parent_id'] })
    expect(await ada.create({ parent_id: parent.id })).toMatchObject({ parent_id: parent.id })
  })
})

describe('POST /api/tasks with a rule', () => {
  it('makes the first occurrence at the first hit of the rule', async () => {
    // 2 December 2026 is a Wednesday.
    const user = newUser()
    const task = await user.create({
      due_at: '2026-12-02T09:00:00+01:00',
      time_zone: 'Europe/Berlin',
      recurrence_rule: 'rrule:freq=weekly;byday=mo,fr',
    })
    expect(task).toMatchObject({
      due_at: '2026-12-04T08:00:00.000Z',
      due_date: '2026-12-04',
      time_zone: 'Europe/Berlin',
      is_recurring: true,
      recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO,FR',
      series_id: expect.any(String),
      occurrence_at: '2026-12-04T08:00:00.000Z',
      repeat_from: 'due',
    })
    expect(await user.events()).toMatchObject([{ type: 'task.created', data: { task } }])
  })

  it('comes back to the time that was asked for when the clocks skip it at the first hit', async () => {
    const user = newUser()
    const task = await user.create({
      due_at: '2026-03-24T02:30:00+01:00',
      time_zone: 'Europe/Berlin',
      recurrence_rule: 'FREQ=WEEKLY;BYDAY=SU',
    })
    expect(task.due_at).toBe('2026-03-29T01:30:00.000Z') // 3:30, there is no 2:30
    const second = await service.next(user, task.id)
    expect(second?.due_at).toBe('2026-04-05T00:30:00.000Z')
    await user.does('PATCH', `/api/tasks/${second!.id}?scope=future`, {
      due_at: '2026-04-05T02:45:00+02:00',
    })
    expect((await service.next(user, second!.id))?.due_at).toBe('2026-04-12T00:45:00.000Z')
  })

  it('comes back to the day that was asked for when the month of the first hit is too short', async () => {
    const user = newUser()
    const first = await user.create({
      due_at: '2026-01-31T09:00:00Z',
      month_end: 'clamp',
      recurrence_rule: 'FREQ=YEARLY;BYMONTH=2,3',
    })
    const second = await service.next(user, first.id)
    expect([first.due_at, second?.due_at]).toEqual(['2026-02-28T09:00:00.000Z', '2026-03-31T09:00:00.000Z'])
  })

  it('counts hits of the rule only, and intervals from the start that was given', async () => {
    const user = newUser()
    const first = await user.create({
      due_at: '2026-03-04T09:00:00Z',
      recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=2',
    })
    const second = await service.next(user, first.id)
    expect([first.due_at, second?.due_at]).toEqual(['2026-03-16T09:00:00.000Z', '2026-03-30T09:00:00.000Z'])
    expect(await service.next(user, second!.id)).toBeUndefined()
  })

  it('makes a series of days when only a date is given', async () => {
    const task = await newUser().create({
      due_date: '2026-12-02',
      time_zone: 'America/New_York',
      recurrence_rule: 'weekdays',
    })
    expect(task).toMatchObject({
      due_at: null,
      due_date: '2026-12-02',
      occurrence_at: '2026-12-02',
      recurrence_rule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
    })
  })

  it.each([
    ['FREQ=DAILY;BYHOUR=9', /BYHOUR/],
    ['FREQ=DAILY;BYMINUTE=0', /BYMINUTE/],
    ['FREQ=HOURLY', /FREQ=HOURLY/],
  ])('refuses %s for a series of days', async (recurrence_rule, message) => {
    const input = { title: 'x', due_date: '2026-12-02', recurrence_rule }
    const got = await newUser().send('POST', '/api/tasks', input)
    expect(got.problem.errors).toEqual([{ path: 'recurrence_rule', message: expect.stringMatching(message) }])
  })

  it('reads UNTIL in a series of days as the day that it is in the zone', async () => {
    const task = await newUser().create({
      due_date: '2026-12-02',
      time_zone: 'Asia/Tokyo',
      recurrence_rule: 'FREQ=DAILY;UNTIL=20261203T150000Z',
    })
    expect(task.recurrence_rule).toBe('FREQ=DAILY;UNTIL=20261204')
  })

  it('shows what the series says, and takes it back', async () => {
    const series = {
      month_end: 'clamp',
      exdates: ['2026-12-24', '2026-12-31'],
      rdates: ['2026-12-27'],
    } as const
    const task = await newUser().create({ due_date: '2026-12-03', recurrence_rule: 'weekly', ...series })
    expect(task).toMatchObject(series)
    const timed = await newUser().create({
      due_at: '2026-12-03T09:00:00Z',
      recurrence_rule: 'weekly',
      exdates: ['2026-12-10T09:00:00Z'],
    })
    expect(timed).toMatchObject({ month_end: 'skip', exdates: ['2026-12-10T09:00:00.000Z'], rdates: [] })
    expect(await newUser().create()).toMatchObject({ month_end: null, exdates: [], rdates: [] })
  })

  it('refuses dates for a series of times', async () => {
    const input = { due_at: '2026-12-03T09:00:00Z', recurrence_rule: 'weekly', exdates: ['2026-12-10'] }
    expect(await refused(newUser(), input)).toEqual({ status: 422, paths: ['exdates'] })
  })

  it('takes times as the clocks on the wall show them in the zone of the task, else of the user', async () => {
    const user = newUser({ timeZone: 'Asia/Tokyo' })
    const wall = { due_at: '2027-01-01T09:00:00', remind_at: '2027-01-01t08:45' }
    expect(await user.create(wall)).toMatchObject({
      due_at: '2027-01-01T00:00:00.000Z',
      due_date: '2027-01-01',
      remind_at: '2026-12-31T23:45:00.000Z',
    })
    expect(await user.create({ ...wall, time_zone: 'america/new_YORK' })).toMatchObject({
      due_at: '2027-01-01T14:00:00.000Z',
      remind_at: '2027-01-01T13:45:00.000Z',
      time_zone: 'America/New_York',
    })
    const exdates = ['2027-01-02T09:00:00']
    const series = await user.create({ ...wall, recurrence_rule: 'daily', exdates })
    expect(series.exdates).toEqual(['2027-01-02T00:00:00.000Z'])
  })

  it('takes lower-case t and z', async () => {
    const task = await newUser().create({ due_at: '2027-01-01t09:00:00z' })
    expect(task.due_at).toBe('2027-01-01T09:00:00.000Z')
  })

  it('keeps a wall time that the clocks leave out on the first day', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    service.at('2026-03-28T08:00:00Z')
    const task = await user.create({ due_at: '2026-03-29T02:30:00', recurrence_rule: 'daily' })
    expect(task.due_at).toBe('2026-03-29T01:30:00.000Z') // 3:30, there is no 2:30
    expect(await service.next(user, task.id)).toMatchObject({ due_at: '2026-03-30T00:30:00.000Z' })
  })

  it('leaves out excluded days and takes in added ones from the start on', async () => {
    const task = await newUser().create({
      due_at: '2026-12-07T09:00:00Z',
      recurrence_rule: 'weekly',
      exdates: ['2026-12-07T09:00:00Z'],
      rdates: ['2026-12-01T09:00:00Z', '2026-12-09T18:00:00Z'],
    })
    expect(task.due_at).toBe('2026-12-09T18:00:00.000Z')
  })

  it('refuses a series whose every day is excluded', async () => {
    const input = {
      due_at: '2026-12-07T09:00:00Z',
      recurrence_rule: 'FREQ=DAILY;COUNT=1',
      exdates: ['2026-12-07T09:00:00Z'],
    }
    expect(await refused(newUser(), input)).toEqual({ status: 422, paths: ['recurrence_rule'] })
  })
})

import { describe, expect, it } from 'vitest'
import { WEEKLY, weeklySeries } from '../../testing/builders/weekly-series.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next, sql } = service
const { begin, edit } = weeklySeries(service)

const patch = (user: Client, id: string, body: unknown, headers?: Record<string, string>) =>
  user.send('PATCH', `/api/tasks/${id}`, body, headers)

describe('PATCH of the series of a task', () => {
  it('future: a new time on the same day moves the series and keeps its excluded days', async () => {
    const user = newUser()
    const task = await begin(user, { exdates: ['2026-03-09T09:00:00+01:00'] })
    const moved = await edit(user, task.id, 'future', { due_at: '2026-03-02T18:30:00+01:00' })
    expect(moved).toMatchObject({
      due_at: '2026-03-02T17:30:00.000Z',
      occurrence_at: '2026-03-02T17:30:00.000Z',
    })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-16T17:30:00.000Z' })
  })

  it('future: a new day moves the series from here on', async () => {
    const user = newUser()
    const task = await begin(user)
    const moved = await edit(user, task.id, 'future', { due_at: '2026-03-04T09:00:00+01:00' })
    expect(moved).toMatchObject({ occurrence_at: '2026-03-04T08:00:00.000Z', series_id: task.series_id })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-11T08:00:00.000Z' })
    const history = await sql`select occurrence_at, state from occurrences where series_id = ${task.series_id}
      order by occurrence_at`
    expect(history.map((row) => row.state)).toEqual(['completed', 'open'])
  })

  it.each([
    ['a new time', '2026-02-28T18:00:00Z', '2026-03-31T18:00:00.000Z'],
    ['an excluded day', null, '2026-03-31T09:00:00.000Z'],
  ])('remembers in February that a series started on the 31st: %s', async (_, due_at, expected) => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const january = await user.create({ due_at: '2026-01-31T09:00:00Z', recurrence_rule: 'monthly' })
    const february = (await next(user, january.id, '2026-01-31T10:00:00Z'))!
    expect(february.due_date).toBe('2026-02-28')
    const body = due_at ? { due_at } : { exdates: ['2026-05-31T09:00:00Z'] }
    await edit(user, february.id, 'future', body)
    expect(await next(user, february.id, '2026-02-28T19:00:00Z')).toMatchObject({ due_at: expected })
  })

  it('ends a series by UNTIL without forgetting how it started', async () => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const january = await user.create({ due_at: '2026-01-31T09:00:00Z', recurrence_rule: 'monthly' })
    const february = (await next(user, january.id, '2026-01-31T10:00:00Z'))!
    await edit(user, february.id, 'this', { recurrence_rule: 'FREQ=MONTHLY;UNTIL=20260331' })
    const march = (await next(user, february.id, '2026-02-28T10:00:00Z'))!
    expect(march).toMatchObject({ due_date: '2026-03-31', recurrence_rule: 'FREQ=MONTHLY;UNTIL=20260331' })
    expect(await next(user, march.id, '2026-03-31T10:00:00Z')).toBeUndefined()
    expect((await user.events()).at(-1)).toMatchObject({ type: 'series.ended' })
  })

  it('refuses an UNTIL that lies before the open occurrence', async () => {
    const user = newUser()
    const task = await begin(user)
    const got = await patch(user, task.id, { recurrence_rule: 'FREQ=WEEKLY;UNTIL=20260301' })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'recurrence_rule' }] } })
  })

  it('changes the rule from this occurrence on', async () => {
    const user = newUser()
    const task = await begin(user)
    const second = (await next(user, task.id))!
    const seen = (await user.events()).at(-1)!.seq
    const edited = await edit(user, second.id, 'this', { recurrence_rule: 'FREQ=DAILY;COUNT=2' })
    expect(edited).toMatchObject({ recurrence_rule: 'FREQ=DAILY;COUNT=2', due_at: second.due_at })
    const events = await user.events(seen)
    expect(events.map(({ type }) => type)).toEqual(['task.updated', 'series.updated'])
    expect(events[0]?.data.changes).toEqual({
      recurrence_rule: { old: 'FREQ=WEEKLY', new: 'FREQ=DAILY;COUNT=2' },
    })
    const third = (await next(user, second.id))!
    expect(third.due_at).toBe('2026-03-10T08:00:00.000Z')
    expect(await next(user, third.id)).toBeUndefined()
  })

  it('moves this occurrence to the first day of the new rule', async () => {
    const user = newUser()
    const task = await begin(user)
    const edited = await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;BYDAY=TH' })
    expect(edited).toMatchObject({
      due_at: '2026-03-05T08:00:00.000Z',
      occurrence_at: '2026-03-05T08:00:00.000Z',
    })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-12T08:00:00.000Z' })
  })

  it('puts an occurrence moved by itself back on its day when the rule changes', async () => {
    const user = newUser()
    const task = await begin(user)
    await edit(user, task.id, 'this', { due_at: '2026-03-03T09:00:00+01:00' })
    const edited = await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' })
    expect(edited.due_at).toBe('2026-03-02T08:00:00.000Z')
  })

  it('takes COUNT down to what is left when the series moves', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=4' })
    const second = (await next(user, task.id))!
    const moved = await edit(user, second.id, 'future', { due_at: '2026-03-11T09:00:00+01:00' })
    expect(moved.recurrence_rule).toBe('FREQ=WEEKLY;COUNT=3')
    const third = (await next(user, second.id))!
    const fourth = (await next(user, third.id))!
    expect(await next(user, fourth.id)).toBeUndefined()
  })

  it('takes COUNT down also when the request repeats the rule, and when it repeats from completion', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=DAILY;COUNT=4', repeat_from: 'completion' })
    // Completed ten days late: days that passed were never part of such a series.
    const second = (await next(user, task.id, '2026-03-12T08:00:00Z'))!
    expect(second.due_at).toBe('2026-03-13T08:00:00.000Z')
    const moved = await edit(user, second.id, 'future', {
      due_at: '2026-03-14T09:00:00+01:00',
      recurrence_rule: second.recurrence_rule,
    })
    expect(moved.recurrence_rule).toBe('FREQ=DAILY;COUNT=3')
  })

  it('moves the open occurrence on when its day is excluded', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=3' })
    const edited = await edit(user, task.id, 'this', { exdates: [WEEKLY.due_at] })
    expect(edited).toMatchObject({
      due_at: '2026-03-09T08:00:00.000Z',
      recurrence_rule: 'FREQ=WEEKLY;COUNT=3',
      version: 2,
    })
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-16T08:00:00.000Z' })
  })

  it('moves an excluded occurrence by the rule counted from its day when the series repeats from completion', async () => {
    const user = newUser()
    const every10Days = { recurrence_rule: 'FREQ=DAILY;INTERVAL=10', repeat_from: 'completion' }
    const task = await begin(user, every10Days)
    const second = (await next(user, task.id, '2026-03-05T12:00:00Z'))!
    const edited = await edit(user, second.id, 'this', { exdates: [second.due_at] })
    expect([second.due_date, edited.due_date]).toEqual(['2026-03-15', '2026-03-25'])
  })

  it('refuses to exclude every day that is left', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=1' })
    const got = await patch(user, task.id, { exdates: [WEEKLY.due_at] })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'exdates' }] } })
  })

  it('does not go back to an added date of the past when the rule changes', async () => {
    const user = newUser()
    const task = await begin(user, { rdates: ['2026-03-05T09:00:00+01:00'] })
    const added = (await next(user, task.id))!
    expect(added.due_date).toBe('2026-03-05')
    const monday = (await next(user, added.id))!
    const edited = await edit(user, monday.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' })
    expect(edited.due_at).toBe('2026-03-09T08:00:00.000Z')
  })

  it.each([
    [{ exdates: ['2026-03-16T09:00:00+01:00'] }, '2026-03-09T08:00:00.000Z'],
    [{ recurrence_rule: 'FREQ=WEEKLY;COUNT=2' }, '2026-03-09T08:00:00.000Z'],
    [{ recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' }, '2026-03-09T08:00:00.000Z'],
    [{ time_zone: 'Europe/Paris' }, '2026-03-09T08:00:00.000Z'],
    [
      { due_at: '2026-03-05T16:00:00+01:00', recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' },
      '2026-03-19T15:00:00.000Z',
    ],
  ])(
    'keeps the weekday of the series when an added date is open and %j is changed',
    async (body, expected) => {
      const user = newUser()
      const task = await begin(user, { rdates: ['2026-03-05T15:00:00+01:00'] })
      const added = (await next(user, task.id))!
      const edited = await edit(user, added.id, 'this', body)
      expect(edited.due_at).toBe('due_at' in body ? '2026-03-05T15:00:00.000Z' : added.due_at)
      expect(await next(user, added.id)).toMatchObject({ due_at: expected })
    },
  )

  it('counts a new COUNT from here on, the open occurrence included', async () => {
    const user = newUser()
    const task = await begin(user)
    const second = (await next(user, task.id))!
    await edit(user, second.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;COUNT=2' })
    const third = (await next(user, second.id))!
    expect(third.due_date).toBe('2026-03-16')
    expect(await next(user, third.id)).toBeUndefined()
  })

  it.each([{ exdates: ['2026-03-16T09:00:00+01:00'] }, { rdates: ['2026-03-18T09:00:00+01:00'] }])(
    'takes no notice of %j when it counts what is left of COUNT',
    async (dates) => {
      const user = newUser()
      const task = await begin(user, { recurrence_rule: 'FREQ=WEEKLY;COUNT=4', ...dates })
      const moved = await edit(user, task.id, 'future', { due_at: '2026-03-03T09:00:00+01:00' })
      expect(moved.recurrence_rule).toBe('FREQ=WEEKLY;COUNT=4')
    },
  )

  it('takes added dates along to the new time, but not those the request names', async () => {
    const user = newUser()
    const rdates = ['2026-03-04T09:00:00+01:00']
    const [first, second] = [await begin(user, { rdates }), await begin(user, { rdates })]
    const due_at = '2026-03-02T18:30:00+01:00'
    await edit(user, first.id, 'future', { due_at })
    expect(await next(user, first.id)).toMatchObject({ due_at: '2026-03-04T17:30:00.000Z' })
    const named = { rdates: ['2026-03-04T10:00:00+01:00'], exdates: ['2026-03-09T18:30:00+01:00'] }
    await edit(user, second.id, 'future', { due_at, ...named })
    const added = (await next(user, second.id))!
    expect(added.due_at).toBe('2026-03-04T09:00:00.000Z')
    expect(await next(user, added.id)).toMatchObject({ due_at: '2026-03-16T17:30:00.000Z' })
  })

  it('moves to a time that the clocks had skipped on the day of the start', async () => {
    const user = newUser()
    service.at('2026-03-28T08:00:00Z')
    // There is no 2:30 on 29 March in Berlin.
    const task = await user.create({ ...WEEKLY, due_at: '2026-03-29T09:00:00+02:00' })
    const second = (await next(user, task.id))!
    const moved = await edit(user, second.id, 'future', { due_at: '2026-04-05T02:30:00+02:00' })
    expect(moved.occurrence_at).toBe('2026-04-05T00:30:00.000Z')
    expect(await next(user, second.id)).toMatchObject({ due_at: '2026-04-12T00:30:00.000Z' })
  })

  it('goes on from the open occurrence when a series repeats from completion no longer', async () => {
    const user = newUser()
    const task = await begin(user, {
      recurrence_rule: 'FREQ=DAILY;INTERVAL=7;COUNT=3',
      repeat_from: 'completion',
    })
    const second = (await next(user, task.id, '2026-03-05T12:00:00Z'))!
    expect(second.due_date).toBe('2026-03-12')
    const edited = await edit(user, second.id, 'this', { repeat_from: 'due' })
    expect(edited).toMatchObject({ repeat_from: 'due', recurrence_rule: 'FREQ=DAILY;INTERVAL=7;COUNT=2' })
    const third = (await next(user, second.id, '2026-03-13T12:00:00Z'))!
    expect(third.due_date).toBe('2026-03-19')
    expect(await next(user, third.id, '2026-03-20T12:00:00Z')).toBeUndefined()
  })

  it('clamps after a change to the shorthand monthly, not after one to a plain rule', async () => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const due_at = '2026-01-31T09:00:00Z'
    const [first, second] = [
      await user.create({ due_at, recurrence_rule: 'daily' }),
      await user.create({ due_at, recurrence_rule: 'yearly' }),
    ]
    await edit(user, first.id, 'this', { recurrence_rule: 'monthly' })
    await edit(user, second.id, 'this', { recurrence_rule: 'FREQ=MONTHLY' })
    expect(await next(user, first.id, due_at)).toMatchObject({ due_date: '2026-02-28' })
    expect(await next(user, second.id, due_at)).toMatchObject({ due_date: '2026-03-31' })
  })

  it('knows dates in another order, and given twice, as the same', async () => {
    const user = newUser()
    const dates = ['2026-03-16T08:00:00Z', '2026-03-09T08:00:00Z']
    const task = await begin(user, { exdates: dates })
    const same = await edit(user, task.id, 'this', { exdates: [...dates, ...dates].toReversed() })
    expect(same.version).toBe(1)
  })

  it('keeps the clock time of the new zone after a change of zone', async () => {
    const user = newUser()
    const task = await begin(user)
    const edited = await edit(user, task.id, 'this', { time_zone: 'America/New_York' })
    expect(edited).toMatchObject({
      due_at: task.due_at,
      time_zone: 'America/New_York',
      due_date: '2026-03-02',
    })
    // 3:00 in New York, where the clocks change on 8 March already.
    expect(await next(user, task.id)).toMatchObject({ due_at: '2026-03-09T07:00:00.000Z' })
  })

  it('ends the series when the rule is removed; the task stays', async () => {
    const user = newUser()
    const task = await begin(user)
    const plain = await edit(user, task.id, 'this', { recurrence_rule: null })
    expect(plain).toMatchObject({ is_recurring: false, recurrence_rule: null, series_id: task.series_id })
    expect((await user.events()).map(({ type }) => type)).toEqual([
      'task.created',
      'task.updated',
      'series.ended',
    ])
    expect(await next(user, task.id)).toBeUndefined()
  })

  it('keeps for a plain task what it would repeat from', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z' })
    expect(await edit(user, task.id, 'this', { repeat_from: 'completion' })).toMatchObject({
      repeat_from: 'completion',
      is_recurring: false,
      version: 2,
    })
  })

  it('makes a plain task recurring, and one whose series has ended anew', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z', repeat_from: 'completion' })
    const recurring = await edit(user, task.id, 'this', { recurrence_rule: 'daily' })
    expect(recurring).toMatchObject({ is_recurring: true, version: 2, repeat_from: 'completion' })
    await edit(user, task.id, 'this', { recurrence_rule: null })
    const again = await edit(user, task.id, 'this', { recurrence_rule: 'weekly', repeat_from: 'due' })
    expect(again.series_id).not.toBe(recurring.series_id)
    expect(await sql`select state from occurrences where series_id = ${recurring.series_id}`).toEqual([
      { state: 'skipped' },
    ])
    expect(await next(user, task.id)).toMatchObject({
      series_id: again.series_id,
      due_at: '2026-03-09T09:00:00.000Z',
    })
  })

  it('refuses to make a completed task recurring', async () => {
    const user = newUser()
    const task = await user.create({ due_at: '2026-03-02T09:00:00Z' })
    await user.does('POST', `/api/tasks/${task.id}/complete`)
    expect(await patch(user, task.id, { recurrence_rule: 'daily' })).toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'recurrence_rule' }] },
    })
  })

  it('corrects a completed occurrence by itself, but lets it change nothing of its series', async () => {
    const user = newUser()
    const task = await begin(user)
    await next(user, task.id)
    expect((await patch(user, task.id, { title: 'Watered', recurrence_rule: 'weekly' })).task.title).toBe(
      'Watered',
    )
    for (const body of [
      { recurrence_rule: 'daily' },
      { recurrence_rule: null },
      { exdates: [WEEKLY.due_at] },
    ]) {
      expect(await patch(user, task.id, body)).toMatchObject({
        status: 422,
        problem: { errors: [{ path: 'recurrence_rule' }] },
      })
    }
    expect(await user.send('PATCH', `/api/tasks/${task.id}?scope=all`, { title: 'x' })).toMatchObject({
      status: 422,
      problem: { errors: [{ path: 'scope' }] },
    })
  })

  it('gives the task a new version when only the series changes, so that If-Match tells two editors apart', async () => {
    const user = newUser()
    const task = await begin(user)
    const both = ['2026-03-09T08:00:00Z', '2026-03-16T08:00:00Z'].map((date) =>
      patch(user, task.id, { exdates: [date] }, { 'if-match': '"1"' }),
    )
    expect(new Set((await Promise.all(both)).map(({ status }) => status))).toEqual(new Set([200, 412]))
    const [, updated, series] = await user.events()
    expect(updated?.data.changes).toEqual({ exdates: { old: [], new: [expect.any(String)] } })
    expect(series?.data.series.exdates).toEqual(updated?.data.changes.exdates?.new)
  })

  it('answers 409 when a moved series would hit an occurrence that is already history', async () => {
    const user = newUser()
    const task = await begin(user)
    const second = (await next(user, task.id))!
    const got = await user.send('PATCH', `/api/tasks/${second.id}?scope=future`, { due_at: WEEKLY.due_at })
    expect(got).toMatchObject({ status: 409, problem: { code: 'request.conflict' } })
  })

  it('goes on from where an open occurrence was moved back before its predecessor', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'FREQ=DAILY' })
    const second = (await next(user, task.id, '2026-03-02T09:00:00Z'))!
    await edit(user, second.id, 'future', { due_at: '2026-03-01T09:00:00+01:00' })
    // 2 March has happened and does not happen again.
    expect(await next(user, second.id, '2026-03-02T10:00:00Z')).toMatchObject({
      due_at: '2026-03-03T08:00:00.000Z',
    })
  })

  it('clamps when asked to, and keeps month_end while the days stay the same', async () => {
    const user = newUser()
    service.at('2026-01-01T08:00:00Z')
    const task = await user.create({ due_at: '2026-01-31T09:00:00Z', recurrence_rule: 'FREQ=MONTHLY' })
    await edit(user, task.id, 'this', { month_end: 'clamp' })
    await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=MONTHLY;COUNT=9' })
    expect(await next(user, task.id, '2026-01-31T10:00:00Z')).toMatchObject({ due_date: '2026-02-28' })
  })
})

import { describe, expect, it } from 'vitest'
import { wallToInstant } from '../../shared/domain/recurrence/wall-clock.ts'
import { WEEKLY, weeklySeries } from '../../testing/builders/weekly-series.ts'
import { taskService } from '../../testing/worlds/task-service.ts'

const service = await taskService()
const { newUser, next } = service
const { begin, edit } = weeklySeries(service)

describe('PATCH of a series of days', () => {
  it('excludes and adds days of a series of days by any instant of the day, whatever the zone becomes', async () => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    service.at('2026-03-01T08:00:00Z')
    const task = await user.create({
      due_date: '2026-03-02',
      recurrence_rule: 'weekly',
      exdates: ['2026-03-09T15:00:00Z'],
      rdates: ['2026-03-04T10:00:00Z', '2026-03-04T11:00:00Z'],
    })
    const wednesday = (await next(user, task.id))!
    expect(wednesday).toMatchObject({ due_at: null, due_date: '2026-03-04' })
    await edit(user, wednesday.id, 'this', { time_zone: 'America/New_York' })
    expect(await next(user, wednesday.id)).toMatchObject({ due_date: '2026-03-16' })
    const monday = await user.create({
      due_date: '2026-03-02',
      recurrence_rule: 'weekly',
      exdates: ['2026-03-09T15:00:00Z'],
    })
    await edit(user, monday.id, 'this', { time_zone: 'America/New_York' })
    expect(await next(user, monday.id)).toMatchObject({ due_date: '2026-03-16' })
  })

  it.each([
    ['a weekday', 'WEEKLY;BYDAY=MO', '2026-03-04T09:00', 'WEEKLY;BYDAY=WE', '2026-03-11'],
    [
      'a weekday, with COUNT',
      'WEEKLY;BYDAY=MO;COUNT=3',
      '2026-03-04T09:00',
      'WEEKLY;BYDAY=WE;COUNT=3',
      '2026-03-11',
    ],
    ['a day of the month', 'MONTHLY;BYMONTHDAY=2', '2026-03-05T09:00', 'MONTHLY;BYMONTHDAY=5', '2026-04-05'],
    ['a numbered weekday', 'MONTHLY;BYDAY=1MO', '2026-03-11T09:00', 'MONTHLY;BYDAY=2WE', '2026-04-08'],
    ['the last weekday', 'MONTHLY;BYDAY=-5MO', '2026-03-31T09:00', 'MONTHLY;BYDAY=-1TU', '2026-04-28'],
    ['the last day', 'MONTHLY;BYMONTHDAY=-30', '2026-03-30T09:00', 'MONTHLY;BYMONTHDAY=-2', '2026-04-29'],
    [
      'a month',
      'YEARLY;BYMONTH=3;BYMONTHDAY=2',
      '2026-05-07T09:00',
      'YEARLY;BYMONTH=5;BYMONTHDAY=7',
      '2027-05-07',
    ],
    [
      'a weekday and a time',
      'WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0',
      '2026-03-03T18:30',
      'WEEKLY;BYDAY=TU;BYHOUR=18;BYMINUTE=30',
      '2026-03-10',
    ],
    [
      'nothing, as it comes there',
      'WEEKLY;BYDAY=MO,WE',
      '2026-03-04T09:00',
      'WEEKLY;BYDAY=MO,WE',
      '2026-03-09',
    ],
    ['an hour of every fourth', 'HOURLY;INTERVAL=4', '2026-03-02T10:00', 'HOURLY;INTERVAL=4', '2026-03-02'],
  ])(
    'future: a move takes %s along, also of a rule sent as it was',
    async (...[, rule, wall, moved, after]) => {
      for (const along of [{}, { recurrence_rule: `FREQ=${rule}` }]) {
        const user = newUser()
        const task = await begin(user, { recurrence_rule: `FREQ=${rule}` })
        expect(await edit(user, task.id, 'future', { due_at: wall, ...along })).toMatchObject({
          recurrence_rule: `FREQ=${moved}`,
          due_at: wallToInstant(wall, WEEKLY.time_zone).toISOString(),
        })
        expect(await next(user, task.id)).toMatchObject({ due_date: after })
      }
    },
  )

  it.each([
    ['one of several weekdays', 'FREQ=WEEKLY;BYDAY=MO,WE', '2026-03-03T09:00'],
    ['weekdays to a Saturday', 'weekdays', '2026-03-07T09:00'],
    ['the first working day', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1', '2026-03-04T09:00'],
    ['one of several times', 'FREQ=DAILY;BYHOUR=9,17', '2026-03-02T10:00'],
  ])('future: refuses to move %s', async (_, recurrence_rule, due_at) => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule })
    const got = await user.send('PATCH', `/api/tasks/${task.id}?scope=future`, { due_at })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'recurrence_rule' }] } })
  })

  it('future: refuses a day that the series leaves out, naming exdates', async () => {
    const user = newUser()
    const task = await begin(user, { recurrence_rule: 'daily', exdates: ['2026-03-04T09:00:00+01:00'] })
    const got = await user.send('PATCH', `/api/tasks/${task.id}?scope=future`, {
      due_at: '2026-03-04T09:00:00+01:00',
    })
    expect(got).toMatchObject({ status: 422, problem: { errors: [{ path: 'exdates' }] } })
  })

  it.each<[string, object, string]>([
    ['another interval', { recurrence_rule: 'FREQ=MONTHLY;INTERVAL=2' }, '2026-04-30'],
    ['another frequency', { recurrence_rule: 'yearly' }, '2027-02-28'],
    ['a plain rule', { recurrence_rule: 'FREQ=MONTHLY;COUNT=5' }, '2026-03-31'],
    ['another zone', { time_zone: 'Europe/London' }, '2026-03-31'],
    ['a title', { title: 'x' }, '2026-03-31'],
  ])('keeps the 31st when the series stands on 28 February and gets %s', async (_, body, expected) => {
    const user = newUser({ timeZone: 'Europe/Berlin' })
    service.at('2026-01-01T08:00:00Z')
    for (const due of [{ due_at: '2026-01-31T09:00:00Z' }, { due_date: '2026-01-31' }]) {
      const january = await user.create({ ...due, recurrence_rule: 'monthly' })
      const february = (await next(user, january.id, '2026-01-31T10:00:00Z'))!
      const edited = await edit(user, february.id, 'future', body)
      expect(edited.due_date).toBe('2026-02-28')
      expect(await next(user, february.id, '2026-02-28T10:00:00Z')).toMatchObject({ due_date: expected })
    }
  })

  it.each<[string, string, object, string]>([
    ['another rule', 'this', { recurrence_rule: 'FREQ=DAILY;INTERVAL=2' }, '2026-03-31T00:30:00.000Z'],
    ['a COUNT', 'this', { recurrence_rule: 'FREQ=DAILY;COUNT=4' }, '2026-03-30T00:30:00.000Z'],
    ['another way to repeat', 'this', { repeat_from: 'completion' }, '2026-03-30T00:30:00.000Z'],
    ['a title', 'future', { title: 'x' }, '2026-03-30T00:30:00.000Z'],
    ['another time', 'future', { due_at: '2026-03-29T04:00:00+02:00' }, '2026-03-30T02:00:00.000Z'],
    [
      'a time on the wall that is left out',
      'future',
      { due_at: '2026-03-29T02:45:00' },
      '2026-03-30T00:45:00.000Z',
    ],
  ])(
    'keeps 2:30 when the series stands on a day without it and gets %s',
    async (_, scope, body, expected) => {
      const user = newUser()
      service.at('2026-03-27T08:00:00Z')
      const saturday = await user.create({
        ...WEEKLY,
        due_at: '2026-03-28T02:30:00+01:00',
        recurrence_rule: 'daily',
      })
      const sunday = (await next(user, saturday.id, '2026-03-28T02:00:00Z'))!
      expect(sunday.due_at).toBe('2026-03-29T01:30:00.000Z')
      await edit(user, sunday.id, scope, body)
      expect(await next(user, sunday.id, '2026-03-29T03:00:00Z')).toMatchObject({ due_at: expected })
    },
  )

  it('turns a series of days into one of times, and back, with its dates', async () => {
    const user = newUser({ timeZone: 'America/New_York' })
    service.at('2026-03-01T12:00:00Z')
    const task = await user.create({
      due_date: '2026-03-02',
      recurrence_rule: 'daily',
      exdates: ['2026-03-03'],
    })
    const timed = await edit(user, task.id, 'future', { due_at: '2026-03-02T20:00:00' })
    expect(timed).toMatchObject({
      occurrence_at: '2026-03-03T01:00:00.000Z',
      exdates: ['2026-03-04T01:00:00.000Z'],
    })
    const days = await edit(user, task.id, 'future', { due_date: '2026-03-02' })
    expect(days).toMatchObject({ occurrence_at: '2026-03-02', exdates: ['2026-03-03'] })
    expect(await next(user, task.id, '2026-03-02T20:00:00Z')).toMatchObject({ due_date: '2026-03-04' })
  })

  it('edits the dates of a series of days where the day has no midnight', async () => {
    const user = newUser({ timeZone: 'Africa/Cairo' })
    service.at('2026-04-22T08:00:00Z')
    const task = await user.create({ due_date: '2026-04-22', recurrence_rule: 'daily' })
    // The clocks go from 0:00 to 1:00 on 24 April.
    const edited = await edit(user, task.id, 'this', { exdates: ['2026-04-24'], rdates: ['2026-04-25'] })
    expect(edited).toMatchObject({ exdates: ['2026-04-24'], rdates: ['2026-04-25'] })
    const second = (await next(user, task.id))!
    expect(second.due_date).toBe('2026-04-23')
    const third = (await next(user, second.id, '2026-04-23T08:00:00Z'))!
    expect(third.due_date).toBe('2026-04-25')
    await edit(user, third.id, 'this', { recurrence_rule: 'FREQ=DAILY;INTERVAL=2', exdates: [] })
    expect(await next(user, third.id, '2026-04-25T08:00:00Z')).toMatchObject({ due_date: '2026-04-27' })
  })

  it('moves a series of days as days', async () => {
    const user = newUser({ timeZone: 'America/New_York' })
    service.at('2026-03-01T08:00:00Z')
    const task = await user.create({ due_date: '2026-03-02', recurrence_rule: 'weekly' })
    await edit(user, task.id, 'this', { due_date: '2026-03-03' })
    expect(await edit(user, task.id, 'this', { recurrence_rule: 'FREQ=WEEKLY;INTERVAL=2' })).toMatchObject({
      due_at: null,
      due_date: '2026-03-02',
    })
    await edit(user, task.id, 'future', { due_date: '2026-03-04' })
    expect(await next(user, task.id)).toMatchObject({ due_at: null, due_date: '2026-03-18' })
  })
})

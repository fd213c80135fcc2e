import { describe, expect, it } from 'vitest'
import { aReminder } from '../../../testing/builders/a-reminder.ts'
import { anOccurrence, aSeries, aTask } from '../../../testing/builders/a-task.ts'
import type { Decision } from '../decision.ts'
import { decideNextOccurrence } from './next-occurrence.ts'
import type { Occurrence, Series } from './series.ts'
import type { Task } from '../tasks/task.ts'
import { wallToInstant } from './wall-clock.ts'

const at = (text: string) => new Date(text)
const NEW_TASK = '0199d0a0-0000-7000-8000-000000000001'

interface Case {
  series?: Partial<Series>
  /** The occurrence closed last, and when. */
  last?: [occurrenceAt: string, closedAt: string, state?: 'completed' | 'skipped']
  others?: Partial<Occurrence>[]
  /** What the last task says besides. */
  task?: Partial<Task>
  now?: string
}

function decide({ series: over = {}, last, others = [], task = {}, now }: Case): Decision | null {
  const series = aSeries(over)
  const recent = others.map((one) => anOccurrence({ ...one, seriesId: series.id }))
  if (last) {
    const [occurrenceAt, closedAt, state = 'completed'] = last
    recent.unshift(
      anOccurrence({
        seriesId: series.id,
        taskId: 'the last',
        state,
        occurrenceAt: at(occurrenceAt),
        closedAt: at(closedAt),
      }),
    )
  }
  const context = {
    taskId: NEW_TASK,
    newId: () => NEW_TASK,
    now: at(now ?? last?.[1] ?? '2026-03-01T12:00:00Z'),
  } as const
  return decideNextOccurrence(
    { series, recent, last: { task: aTask({ position: 77, ...task }), reminders: [], subtasks: [] } },
    context,
  )
}

const dueOf = (decision: Decision | null) => decision?.newTasks?.[0]?.dueAt?.toISOString()
const missedOf = (decision: Decision | null) =>
  decision?.newOccurrences
    ?.filter(({ state }) => state === 'missed')
    .map((one) => one.occurrenceAt.toISOString())

/** From 1 March 2026, daily at 9:00 UTC. */
describe('decideNextOccurrence', () => {
  it.each<[string, Case, string, number]>([
    ['on time', { last: ['2026-03-02T09:00:00Z', '2026-03-02T08:00:00Z'] }, '2026-03-03T09:00:00.000Z', 0],
    [
      'a day ahead',
      { last: ['2026-03-05T09:00:00Z', '2026-03-02T08:00:00Z'] },
      '2026-03-06T09:00:00.000Z',
      0,
    ],
    ['late', { last: ['2026-03-02T09:00:00Z', '2026-03-05T08:00:00Z'] }, '2026-03-05T09:00:00.000Z', 2],
    [
      'late, to the minute',
      { last: ['2026-03-02T09:00:00Z', '2026-03-05T09:00:00Z'] },
      '2026-03-06T09:00:00.000Z',
      3,
    ],
    [
      'skipped late',
      { last: ['2026-03-02T09:00:00Z', '2026-03-05T08:00:00Z', 'skipped'] },
      '2026-03-05T09:00:00.000Z',
      2,
    ],
  ])('is the first after both the last occurrence and its closing: %s', (_, given, due, missed) => {
    const decision = decide(given)
    expect([dueOf(decision), missedOf(decision)?.length]).toEqual([due, missed])
  })

  it('looks at when the last one was closed, not at how late that is processed', () => {
    const decision = decide({
      last: ['2026-03-02T09:00:00Z', '2026-03-02T10:00:00Z'],
      now: '2026-03-09T00:00:00Z',
    })
    expect(dueOf(decision)).toBe('2026-03-03T09:00:00.000Z')
  })

  it('has the reminders of the last one, and says so after the occurrence itself', () => {
    const series = aSeries()
    const due = { dueAt: at('2026-03-02T09:00:00Z'), dueDate: '2026-03-02' }
    const task = aTask({ ...due, id: 'the last', remindAt: at('2026-03-02T08:30:00Z') })
    const closed = { state: 'completed', closedAt: at('2026-03-02T09:30:00Z'), taskId: task.id } as const
    const recent = [anOccurrence({ seriesId: series.id, ...closed })]
    const reminders = [aReminder({ taskId: task.id, offsetMinutes: 10, channels: ['email'] })]
    const decision = decideNextOccurrence(
      { series, recent, last: { task, reminders, subtasks: [] } },
      { taskId: NEW_TASK, newId: () => 'new', now: closed.closedAt },
    )!
    expect(decision.newTasks).toMatchObject([{ remindAt: at('2026-03-03T08:30:00Z') }])
    expect(decision.newReminders).toMatchObject([
      { taskId: NEW_TASK, origin: 'user', remindAt: at('2026-03-03T08:50:00Z'), channels: ['email'] },
      { taskId: NEW_TASK, origin: 'task', remindAt: at('2026-03-03T08:30:00Z'), channels: null },
    ])
    expect(decision.facts.map(({ definition }) => definition.type)).toEqual([
      'task.occurrence.generated',
      'reminder.scheduled',
      'reminder.scheduled',
    ])
  })

  it('is an open task with the content of the series, in the place of the last one', () => {
    const template = {
      title: 'Water plants',
      description: 'all',
      tags: ['green'],
      parentId: 'the parent',
      isFloating: false,
      priority: 'high',
    } as const
    const decision = decide({
      series: { template, version: 7, generated: 3 },
      last: ['2026-03-02T09:00:00Z', '2026-03-04T10:00:00Z'],
    })!
    const [task] = decision.newTasks!
    expect(task).toMatchObject({
      ...template,
      id: NEW_TASK,
      userId: decision.series!.userId,
      seriesId: decision.series!.id,
      position: 77,
      version: 1,
      completedAt: null,
      deletedAt: null,
      dueDate: '2026-03-05',
      createdAt: at('2026-03-04T10:00:00Z'),
      occurrenceAt: at('2026-03-05T09:00:00Z'),
      recurrenceRule: 'FREQ=DAILY',
      repeatFrom: 'due',
    })
    expect(decision.series).toMatchObject({ liveTaskId: NEW_TASK, generated: 4, version: 8, state: 'active' })
    expect(decision.newOccurrences).toEqual([
      ...['2026-03-03T09:00:00Z', '2026-03-04T09:00:00Z'].map((missed) => ({
        seriesId: task!.seriesId,
        occurrenceAt: at(missed),
        state: 'missed',
        taskId: null,
        closedAt: at('2026-03-04T10:00:00Z'),
      })),
      {
        seriesId: task!.seriesId,
        occurrenceAt: task!.occurrenceAt,
        state: 'open',
        taskId: NEW_TASK,
        closedAt: null,
      },
    ])
    expect(decision.facts).toMatchObject([
      {
        definition: { type: 'task.occurrence.generated' },
        subject: `task/${NEW_TASK}`,
        data: { missed: ['2026-03-03T09:00:00.000Z', '2026-03-04T09:00:00.000Z'] },
      },
    ])
  })

  it.each([
    ['COUNT', { rule: 'FREQ=DAILY;COUNT=2' }],
    ['UNTIL', { rule: 'FREQ=DAILY;UNTIL=20260303T080000Z' }],
    ['EXDATE', { rule: 'FREQ=DAILY;COUNT=3', exdates: [at('2026-03-03T09:00:00Z')] }],
  ])('is none when %s has run out: the series ends', (_, series) => {
    const decision = decide({ series, last: ['2026-03-02T09:00:00Z', '2026-03-02T10:00:00Z'] })!
    expect(decision.newTasks).toBeUndefined()
    expect(decision.series).toMatchObject({ state: 'ended', liveTaskId: null, version: 2 })
    expect(decision.facts).toMatchObject([{ definition: { type: 'series.ended' } }])
  })

  it('counts what was missed in COUNT, and tells it when that ends the series', () => {
    const last: Case['last'] = ['2026-03-01T09:00:00Z', '2026-03-09T10:00:00Z']
    const decision = decide({ series: { rule: 'FREQ=DAILY;COUNT=3' }, last })!
    expect(decision.series?.state).toBe('ended')
    expect(missedOf(decision)).toEqual(['2026-03-02T09:00:00.000Z', '2026-03-03T09:00:00.000Z'])
  })

  it('records the latest thousand of what was missed, and goes on in the future all the same', () => {
    const decision = decide({ last: ['2026-03-02T09:00:00Z', '2030-03-02T10:00:00Z'] })
    expect([dueOf(decision), missedOf(decision)?.length]).toEqual(['2030-03-03T09:00:00.000Z', 1000])
    expect(missedOf(decision)?.at(-1)).toBe('2030-03-02T09:00:00.000Z')
  })

  it('is at the same clock time after the clocks have changed, and after the gap when that time is skipped', () => {
    const berlin = { timeZone: 'Europe/Berlin', startAt: wallToInstant('2026-03-01T02:30', 'Europe/Berlin') }
    const next = (last: string) => dueOf(decide({ series: berlin, last: [last, last] }))
    expect(next('2026-03-28T01:30:00Z')).toBe('2026-03-29T01:30:00.000Z') // 3:30, there is no 2:30
    expect(next('2026-03-29T01:30:00Z')).toBe('2026-03-30T00:30:00.000Z')
    expect(next('2026-10-24T00:30:00Z')).toBe('2026-10-25T00:30:00.000Z') // the first 2:30 of two
    expect(next('2026-10-25T00:30:00Z')).toBe('2026-10-26T01:30:00.000Z')
  })

  describe('in an all-day series', () => {
    /** Dates are held as midnight UTC; the moment is that of closing. */
    const days = (
      rule: string,
      zone: string,
      [date, closedAt, state = 'completed']: NonNullable<Case['last']>,
    ) =>
      decide({
        series: { isAllDay: true, timeZone: zone, rule, startAt: at('2026-01-31T00:00:00Z') },
        last: [`${date}T00:00:00Z`, closedAt, state],
      })
    const told = (decision: Decision | null) => [
      decision?.newTasks?.[0]?.dueDate ?? decision?.series?.state,
      ...(missedOf(decision) ?? []).map((text) => text.slice(0, 10)),
    ]

    it.each<[string, string, string, NonNullable<Case['last']>, string[]]>([
      [
        'daily, yesterday done today',
        'FREQ=DAILY',
        'Europe/Berlin',
        ['2026-03-02', '2026-03-03T09:00:00Z'],
        ['2026-03-03'],
      ],
      [
        'daily, today done today',
        'FREQ=DAILY',
        'Europe/Berlin',
        ['2026-03-03', '2026-03-03T09:00:00Z'],
        ['2026-03-04'],
      ],
      [
        'daily, three days late',
        'FREQ=DAILY',
        'UTC',
        ['2026-03-02', '2026-03-05T23:59:59Z'],
        ['2026-03-05', '2026-03-03', '2026-03-04'],
      ],
      ['daily, a day ahead', 'FREQ=DAILY', 'UTC', ['2026-03-06', '2026-03-05T09:00:00Z'], ['2026-03-07']],
      [
        'daily, when it is tomorrow already in the zone',
        'FREQ=DAILY',
        'Pacific/Auckland',
        ['2026-03-02', '2026-03-02T12:00:00Z'],
        ['2026-03-03'],
      ],
      [
        'daily, when it is still yesterday in the zone',
        'FREQ=DAILY',
        'Pacific/Pago_Pago',
        ['2026-03-02', '2026-03-03T09:00:00Z'],
        ['2026-03-03'],
      ],
      [
        'weekly, on the day of the next',
        'FREQ=WEEKLY',
        'Europe/Berlin',
        ['2026-03-07', '2026-03-14T09:00:00Z'],
        ['2026-03-14'],
      ],
      [
        'yearly, on the day of the next',
        'FREQ=YEARLY',
        'Europe/Berlin',
        ['2026-01-31', '2027-01-31T09:00:00Z'],
        ['2027-01-31'],
      ],
      [
        'across a change of clocks',
        'FREQ=WEEKLY',
        'America/New_York',
        ['2026-03-07', '2026-03-07T22:00:00Z'],
        ['2026-03-14'],
      ],
      [
        'where the day has no midnight',
        'FREQ=DAILY',
        'Africa/Cairo',
        ['2026-04-23', '2026-04-24T09:00:00Z'],
        ['2026-04-24'],
      ],
      [
        'COUNT, and its last day is today',
        'FREQ=DAILY;COUNT=3',
        'UTC',
        ['2026-02-01', '2026-02-02T09:00:00Z'],
        ['2026-02-02'],
      ],
      [
        'COUNT, and its last day is over',
        'FREQ=DAILY;COUNT=3',
        'UTC',
        ['2026-02-01', '2026-02-03T09:00:00Z'],
        ['ended', '2026-02-02'],
      ],
      [
        'UNTIL today',
        'FREQ=DAILY;UNTIL=20260303',
        'Asia/Tokyo',
        ['2026-03-02', '2026-03-03T09:00:00Z'],
        ['2026-03-03'],
      ],
      [
        'UNTIL yesterday',
        'FREQ=DAILY;UNTIL=20260303',
        'Asia/Tokyo',
        ['2026-03-02', '2026-03-03T16:00:00Z'],
        ['ended', '2026-03-03'],
      ],
      [
        'skipped, and today follows',
        'FREQ=DAILY',
        'Europe/Berlin',
        ['2026-03-02', '2026-03-03T09:00:00Z', 'skipped'],
        ['2026-03-03'],
      ],
    ])('%s', (...[, rule, zone, last, expected]) => {
      const decision = days(rule, zone, last)
      expect(told(decision)).toEqual(expected)
      expect(decision?.newTasks?.[0]?.dueAt ?? null).toBeNull()
    })
  })

  it('clamps to the last day of a short month and comes back to the 31st', () => {
    const series = { rule: 'FREQ=MONTHLY', monthEnd: 'clamp', startAt: at('2026-01-31T09:00:00Z') } as const
    const next = (last: string) => dueOf(decide({ series, last: [last, last] }))
    expect(next('2026-01-31T09:00:00Z')).toBe('2026-02-28T09:00:00.000Z')
    expect(next('2026-02-28T09:00:00Z')).toBe('2026-03-31T09:00:00.000Z')
  })

  describe('repeating from completion', () => {
    const series = { repeatFrom: 'completion', rule: 'FREQ=DAILY;INTERVAL=10' } as const

    it.each([
      ['2026-03-02T07:00:00Z', '2026-03-12T09:00:00.000Z'],
      ['2026-03-02T23:00:00Z', '2026-03-12T09:00:00.000Z'],
      ['2026-05-05T12:00:00Z', '2026-05-15T09:00:00.000Z'],
    ])('counts from the day of completion: %s', (closedAt, due) => {
      const decision = decide({ series, last: ['2026-03-01T09:00:00Z', closedAt] })
      expect([dueOf(decision), missedOf(decision)]).toEqual([due, []])
    })

    it('ends after as many occurrences as COUNT says, however long they took', () => {
      const last: Case['last'] = ['2026-03-01T09:00:00Z', '2027-03-01T09:00:00Z']
      const counted = (generated: number) =>
        decide({ series: { ...series, rule: 'FREQ=DAILY;COUNT=3', generated }, last })?.series?.state
      expect([counted(2), counted(3)]).toEqual(['active', 'ended'])
    })

    const weekly = { ...series, rule: 'FREQ=WEEKLY', startAt: at('2026-03-01T09:00:00Z') }
    it.each<[string, Partial<Series>, NonNullable<Case['last']>, Partial<Task>, string]>([
      ['long before', weekly, ['2027-03-15T09:00:00Z', '2026-11-20T12:00:00Z', 'skipped'], {}, '2027-03-22'],
      ['long after', weekly, ['2026-03-15T09:00:00Z', '2026-11-20T12:00:00Z', 'skipped'], {}, '2026-11-27'],
      [
        'when it had been moved by itself',
        weekly,
        ['2026-03-15T09:00:00Z', '2026-03-14T12:00:00Z', 'skipped'],
        { dueAt: at('2026-04-10T15:00:00Z') },
        '2026-04-17',
      ],
      [
        'as a day',
        { ...weekly, isAllDay: true, startAt: at('2026-03-01T00:00:00Z'), timeZone: 'Pacific/Auckland' },
        ['2027-03-15T00:00:00Z', '2026-11-20T12:00:00Z', 'skipped'],
        { dueDate: '2027-03-15' },
        '2027-03-22',
      ],
    ])('never goes back behind what is skipped %s', (...[, of, last, task, expected]) => {
      expect(decide({ series: of, last, task })?.newTasks?.[0]?.dueDate).toBe(expected)
    })

    it('goes a step further each time it is completed on one day: what was done ahead is not asked for again', () => {
      const first = decide({ series, last: ['2026-03-01T09:00:00Z', '2026-03-01T10:00:00Z'] })
      expect(dueOf(first)).toBe('2026-03-11T09:00:00.000Z')
      const done = (occurrenceAt: string, closedAt: string) =>
        ({
          occurrenceAt: at(occurrenceAt),
          state: 'completed',
          taskId: occurrenceAt,
          closedAt: at(closedAt),
        }) as const
      const again = decide({
        series,
        last: ['2026-03-11T09:00:00Z', '2026-03-01T11:00:00Z'],
        others: [done('2026-03-01T09:00:00Z', '2026-03-01T10:00:00Z')],
      })
      expect(dueOf(again)).toBe('2026-03-21T09:00:00.000Z')
      const third = decide({
        series,
        last: ['2026-03-21T09:00:00Z', '2026-03-01T12:00:00Z'],
        others: [
          done('2026-03-01T09:00:00Z', '2026-03-01T10:00:00Z'),
          done('2026-03-11T09:00:00Z', '2026-03-01T11:00:00Z'),
        ],
      })
      expect(dueOf(third)).toBe('2026-03-31T09:00:00.000Z')
    })

    it('goes on one later where it would hit the instant that was just completed ahead of time', () => {
      const daily = { ...series, rule: 'FREQ=DAILY' }
      const decision = decide({ series: daily, last: ['2026-03-10T09:00:00Z', '2026-03-09T20:00:00Z'] })
      expect(dueOf(decision)).toBe('2026-03-11T09:00:00.000Z')
    })
  })

  it('never gives an instant twice, whatever has become of it', () => {
    const decision = decide({
      last: ['2026-03-02T09:00:00Z', '2026-03-04T10:00:00Z'],
      others: [
        { occurrenceAt: at('2026-03-03T09:00:00Z'), state: 'missed', closedAt: at('2026-03-03T10:00:00Z') },
        { occurrenceAt: at('2026-03-05T09:00:00Z'), state: 'open', taskId: 'moved' },
        {
          occurrenceAt: at('2026-03-06T09:00:00Z'),
          state: 'completed',
          taskId: 'early',
          closedAt: at('2026-03-02T10:00:00Z'),
        },
      ],
    })
    expect(missedOf(decision)).toEqual(['2026-03-04T09:00:00.000Z'])
    expect(dueOf(decision)).toBe('2026-03-07T09:00:00.000Z')
  })

  it('begins at the start when nothing has been closed yet', () => {
    expect(dueOf(decide({}))).toBe('2026-03-01T09:00:00.000Z')
  })

  it('does nothing for a series that has an open occurrence or has ended', () => {
    expect(decide({ series: { liveTaskId: 'open' } })).toBeNull()
    expect(decide({ series: { state: 'ended' } })).toBeNull()
  })

  it('ends a series whose stored rule is refused by now, naming the part', () => {
    const decision = decide({
      series: { rule: 'FREQ=MINUTELY' },
      last: ['2026-03-02T09:00:00Z', '2026-03-02T10:00:00Z'],
    })!
    expect(decision.series).toMatchObject({ state: 'ended', version: 2 })
    expect(decision.facts).toMatchObject([
      {
        definition: { type: 'recurring.task.error' },
        subject: `series/${decision.series!.id}`,
        data: { series_id: decision.series!.id, reason: expect.stringContaining('MINUTELY') },
      },
    ])
    expect(decision.newTasks).toBeUndefined()
  })
})

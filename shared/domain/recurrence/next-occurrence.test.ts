import { describe, expect, it } from 'vitest'
import { anOccurrence, aSeries, aTask } from '../../../testing/builders/a-task.ts'
import type { Decision } from '../decision.ts'
import { decideNextOccurrence } from './next-occurrence.ts'
import type { Occurrence, Series } from './series.ts'
import type { Task } from '../tasks/task.ts'

/** '26-03-02' is midnight, '26-03-02T09:00' a minute, of this century and in UTC. */
const at = (text: string) => new Date(`20${text}${text.includes('T') ? 'Z' : ''}`)
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
    const closed = { occurrenceAt: at(occurrenceAt), closedAt: at(closedAt), state, taskId: 'the last' }
    recent.unshift(anOccurrence({ ...closed, seriesId: series.id }))
  }
  const context = {
    taskId: NEW_TASK,
    newId: () => NEW_TASK,
    now: at(now ?? last?.[1] ?? '26-03-01T12:00'),
  } as const
  return decideNextOccurrence(
    { series, recent, last: { task: aTask(task), reminders: [], subtasks: [] } },
    context,
  )
}

const short = (instant: Date | null | undefined) => instant?.toISOString().slice(2, 16)
const dueOf = (decision: Decision | null) => short(decision?.newTasks?.[0]?.dueAt)
const missedOf = (decision: Decision | null) =>
  decision?.newOccurrences?.filter(({ state }) => state === 'missed').map((one) => short(one.occurrenceAt))

/** From 1 March 2026, daily at 9:00 UTC. */
describe('decideNextOccurrence', () => {
  it.each<[string, NonNullable<Case['last']>, string, number]>([
    ['on time', ['26-03-02T09:00', '26-03-02T08:00'], '26-03-03T09:00', 0],
    ['a day ahead', ['26-03-05T09:00', '26-03-02T08:00'], '26-03-06T09:00', 0],
    ['late', ['26-03-02T09:00', '26-03-05T08:00'], '26-03-05T09:00', 2],
    ['late, to the minute', ['26-03-02T09:00', '26-03-05T09:00'], '26-03-06T09:00', 3],
    ['skipped late', ['26-03-02T09:00', '26-03-05T08:00', 'skipped'], '26-03-05T09:00', 2],
  ])('is the first after both the last occurrence and its closing: %s', (_, last, due, missed) => {
    const decision = decide({ last })
    expect([dueOf(decision), missedOf(decision)?.length]).toEqual([due, missed])
  })

  it('looks at when the last one was closed, not at how late that is processed', () => {
    const decision = decide({ last: ['26-03-02T09:00', '26-03-02T10:00'], now: '26-03-09' })
    expect(dueOf(decision)).toBe('26-03-03T09:00')
  })

  it.each([
    ['COUNT', { rule: 'FREQ=DAILY;COUNT=2' }],
    ['UNTIL', { rule: 'FREQ=DAILY;UNTIL=20260303T080000Z' }],
    ['EXDATE', { rule: 'FREQ=DAILY;COUNT=3', exdates: [at('26-03-03T09:00')] }],
  ])('is none when %s has run out: the series ends', (_, series) => {
    const decision = decide({ series, last: ['26-03-02T09:00', '26-03-02T10:00'] })!
    expect(decision.newTasks).toBeUndefined()
    expect(decision.series).toMatchObject({ state: 'ended', liveTaskId: null, version: 2 })
    expect(decision.facts).toMatchObject([{ definition: { type: 'series.ended' } }])
  })

  it('counts what was missed in COUNT, and tells it when that ends the series', () => {
    const last: Case['last'] = ['26-03-01T09:00', '26-03-09T10:00']
    const decision = decide({ series: { rule: 'FREQ=DAILY;COUNT=3' }, last })!
    expect(decision.series?.state).toBe('ended')
    expect(missedOf(decision)).toEqual(['26-03-02T09:00', '26-03-03T09:00'])
  })

  it('records the latest thousand of what was missed, and goes on in the future all the same', () => {
    const decision = decide({ last: ['26-03-02T09:00', '30-03-02T10:00'] })
    expect([dueOf(decision), missedOf(decision)?.length]).toEqual(['30-03-03T09:00', 1000])
    expect(missedOf(decision)?.at(-1)).toBe('30-03-02T09:00')
  })

  // Dates are held as midnight UTC; the moment is that of closing.
  it.each<[string, string, string, NonNullable<Case['last']>, string[]]>([
    ['yesterday done today', 'DAILY', 'Europe/Berlin', ['26-03-02', '26-03-03T09:00'], ['26-03-03']],
    ['today done today', 'DAILY', 'Europe/Berlin', ['26-03-03', '26-03-03T09:00'], ['26-03-04']],
    ['late', 'DAILY', 'UTC', ['26-03-02', '26-03-05T23:59'], ['26-03-05', '26-03-03', '26-03-04']],
    ['a day ahead', 'DAILY', 'UTC', ['26-03-06', '26-03-05T09:00'], ['26-03-07']],
    ['tomorrow already', 'DAILY', 'Pacific/Auckland', ['26-03-02', '26-03-02T12:00'], ['26-03-03']],
    ['still yesterday', 'DAILY', 'Pacific/Pago_Pago', ['26-03-02', '26-03-03T09:00'], ['26-03-03']],
    ['on the next day', 'WEEKLY', 'Europe/Berlin', ['26-03-07', '26-03-14T09:00'], ['26-03-14']],
    ['on the next day', 'YEARLY', 'Europe/Berlin', ['26-01-31', '27-01-31T09:00'], ['27-01-31']],
    ['clocks change', 'WEEKLY', 'America/New_York', ['26-03-07', '26-03-07T22:00'], ['26-03-14']],
    ['no midnight', 'DAILY', 'Africa/Cairo', ['26-04-23', '26-04-24T09:00'], ['26-04-24']],
    ['last day today', 'DAILY;COUNT=3', 'UTC', ['26-02-01', '26-02-02T09:00'], ['26-02-02']],
    ['last day over', 'DAILY;COUNT=3', 'UTC', ['26-02-01', '26-02-03T09:00'], ['ended', '26-02-02']],
    ['today', 'DAILY;UNTIL=20260303', 'Asia/Tokyo', ['26-03-02', '26-03-03T09:00'], ['26-03-03']],
    ['over', 'DAILY;UNTIL=20260303', 'Asia/Tokyo', ['26-03-02', '26-03-03T16:00'], ['ended', '26-03-03']],
    ['skipped', 'DAILY', 'Europe/Berlin', ['26-03-02', '26-03-03T09:00', 'skipped'], ['26-03-03']],
  ])('is a day in an all-day series: %s, %s in %s', (...[, rule, timeZone, last, expected]) => {
    const days = { isAllDay: true, timeZone, rule: `FREQ=${rule}`, startAt: at('26-01-31') }
    const decision = decide({ series: days, last })
    const [task] = decision?.newTasks ?? []
    const missed = missedOf(decision)?.map((text) => text?.slice(0, 8)) ?? []
    expect([task?.dueDate?.slice(2) ?? decision?.series?.state, ...missed]).toEqual(expected)
    expect(task?.dueAt ?? null).toBeNull()
  })

  const weekly = { repeatFrom: 'completion', rule: 'FREQ=WEEKLY', startAt: at('26-03-01T09:00') } as const
  const days = { ...weekly, isAllDay: true, startAt: at('26-03-01'), timeZone: 'Pacific/Auckland' }
  const moved = { dueAt: at('26-04-10T15:00') }
  it.each<[string, Partial<Series>, [string, string], Partial<Task>, string]>([
    ['long before', weekly, ['27-03-15T09:00', '26-11-20T12:00'], {}, '2027-03-22'],
    ['long after', weekly, ['26-03-15T09:00', '26-11-20T12:00'], {}, '2026-11-27'],
    ['when it was moved', weekly, ['26-03-15T09:00', '26-03-14T12:00'], moved, '2026-04-17'],
    ['as a day', days, ['27-03-15', '26-11-20T12:00'], { dueDate: '2027-03-15' }, '2027-03-22'],
  ])('never goes back behind what is skipped %s', (...[, series, last, task, expected]) => {
    expect(decide({ series, last: [...last, 'skipped'], task })?.newTasks?.[0]?.dueDate).toBe(expected)
  })

  it('never gives an instant twice, whatever has become of it', () => {
    const decision = decide({
      last: ['26-03-02T09:00', '26-03-04T10:00'],
      others: [
        { occurrenceAt: at('26-03-03T09:00'), state: 'missed', closedAt: at('26-03-03T10:00') },
        { occurrenceAt: at('26-03-05T09:00'), state: 'open', taskId: 'moved' },
        {
          occurrenceAt: at('26-03-06T09:00'),
          state: 'completed',
          taskId: 'early',
          closedAt: at('26-03-02T10:00'),
        },
      ],
    })
    expect(missedOf(decision)).toEqual(['26-03-04T09:00'])
    expect(dueOf(decision)).toBe('26-03-07T09:00')
  })

  it('begins at the start when nothing has been closed yet', () => {
    expect(dueOf(decide({}))).toBe('26-03-01T09:00')
  })
})

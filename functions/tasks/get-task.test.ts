import { describe, expect, it } from 'vitest'
import type { Series } from '../../shared/domain/recurrence/series.ts'
import type { Task } from '../../shared/domain/tasks/task.ts'
import { taskView } from '../../shared/domain/tasks/task.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aSeries, tasksAdded } from '../../testing/builders/a-task.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import getTask from './get-task.ts'

const { deps } = await testDaybook()
const at = (text: string) => new Date(`2026-${text}Z`)

/** A task of a daily series at 09:00 UTC, asked for at noon on 2 March. */
async function upcomingOf(series: Partial<Series>, task: Partial<Task> = {}): Promise<string[]> {
  const userId = systemIds.uuid()
  const whole = aSeries({ ...series, userId })
  const change = tasksAdded(userId, [
    { seriesId: whole.id, recurrenceRule: whole.rule, occurrenceAt: at('03-02T09:00:00.000'), ...task },
  ])
  await deps.changes.commit({ ...change, series: whole })
  const got = await ask(getTask, deps, userId, { id: change.newTasks[0]!.id })
  expect(got.status).toBe(200)
  return (got.body as { upcoming_occurrences: string[] }).upcoming_occurrences
}

describe('get-task', () => {
  it('answers the task with its version as the ETag', async () => {
    const change = tasksAdded(systemIds.uuid(), [{ version: 7, tags: ['home'] }])
    await deps.changes.commit(change)
    const [task] = change.newTasks
    const got = await ask(getTask, deps, change.userId, { id: task!.id })
    expect(got.status).toBe(200)
    expect(got.headers.get('etag')).toBe('"7"')
    expect(got.body).toEqual({ ...taskView(task!), upcoming_occurrences: [] })
  })

  it.each([
    ['"7"', 304],
    ['W/"7"', 304],
    ['"6", "7"', 304],
    ['*', 304],
    ['"6"', 200],
  ])('answers If-None-Match %s with %i', async (tag, status) => {
    const change = tasksAdded(systemIds.uuid(), [{ version: 7 }])
    await deps.changes.commit(change)
    const request = { id: change.newTasks[0]!.id, headers: { 'if-none-match': tag } }
    const got = await ask(getTask, deps, change.userId, request)
    expect(got.status).toBe(status)
    expect(got.headers.get('etag')).toBe('"7"')
    expect(got.body === null).toBe(status === 304)
  })

  it('answers 404 for a deleted task and 422 for an id that is none', async () => {
    const change = tasksAdded(systemIds.uuid(), [{ deletedAt: at('03-01T00:00:00.000') }])
    await deps.changes.commit(change)
    const deleted = await ask(getTask, deps, change.userId, { id: change.newTasks[0]!.id })
    expect(deleted).toMatchObject({ status: 404, body: { code: 'task.not_found' } })
    const junk = await ask(getTask, deps, change.userId, { id: "1'--" })
    expect(junk).toMatchObject({ status: 422, body: { errors: [{ path: 'id' }] } })
  })

  it('does not pretend to know as_of', async () => {
    const query = '?as_of=2026-01-01T00:00:00Z'
    expect((await ask(getTask, deps, systemIds.uuid(), { query })).status).toBe(422)
  })

  it('tells the next five instants after now', async () => {
    expect(await upcomingOf({ rule: 'FREQ=DAILY' })).toEqual(
      ['03', '04', '05', '06', '07'].map((day) => `2026-03-${day}T09:00:00.000Z`),
    )
  })

  it('tells the instants after an occurrence that lies ahead, not that one again', async () => {
    const ahead = { occurrenceAt: at('03-10T09:00:00.000') }
    expect((await upcomingOf({}, ahead))[0]).toBe('2026-03-11T09:00:00.000Z')
  })

  it('tells the instants on the clocks of the zone', async () => {
    const berlin = { rule: 'FREQ=WEEKLY', startAt: at('03-23T08:00:00.000'), timeZone: 'Europe/Berlin' }
    expect((await upcomingOf(berlin)).slice(0, 2)).toEqual([
      '2026-03-23T08:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
    ])
  })

  it('tells the dates of an all-day series, today among them when it is not the open one', async () => {
    const days = { isAllDay: true, startAt: at('03-01T00:00:00.000'), timeZone: 'Pacific/Auckland' }
    const open = { seriesTerms: { isAllDay: true, monthEnd: 'skip', exdates: [], rdates: [] } as const }
    // It is 1:00 on 3 March in Auckland.
    const overdue = await upcomingOf(days, { ...open, occurrenceAt: at('03-02T00:00:00.000') })
    expect(overdue.slice(0, 2)).toEqual(['2026-03-03', '2026-03-04'])
    const today = await upcomingOf(days, { ...open, occurrenceAt: at('03-03T00:00:00.000') })
    expect(today[0]).toBe('2026-03-04')
  })

  it('tells what follows if a task that repeats from completion were completed now', async () => {
    const series = { rule: 'FREQ=DAILY;INTERVAL=3', repeatFrom: 'completion' as const }
    expect(await upcomingOf(series)).toEqual(['2026-03-05T09:00:00.000Z'])
    expect(await upcomingOf({ ...series, rule: 'FREQ=DAILY;COUNT=2', generated: 1 })).toHaveLength(1)
    expect(await upcomingOf({ ...series, rule: 'FREQ=DAILY;COUNT=2', generated: 2 })).toEqual([])
  })

  it.each<[string, Partial<Series>, Partial<Task>]>([
    ['of a series that has ended', { state: 'ended' }, {}],
    ['when the rule has run out', { rule: 'FREQ=DAILY;COUNT=2' }, {}],
    ['of a task that repeats no longer', {}, { recurrenceRule: null }],
    ['of a rule that is refused by now', { rule: 'FREQ=MINUTELY' }, {}],
  ])('tells none %s', async (_name, series, task) => {
    expect(await upcomingOf(series, task)).toEqual([])
  })
})

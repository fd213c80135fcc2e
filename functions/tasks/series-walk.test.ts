import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { taskService, type Client } from './testing/task-service.ts'
import { faultsInTheBooks } from './testing/books.ts'

const service = await taskService()
const { newUser, sql } = service

/** How many walks; more on demand. */
const WALKS = Number(process.env['WALKS'] ?? 25)
const START = Date.parse('2026-01-30T08:00:00Z')
const HOUR_MS = 3_600_000

const RULES = [
  ...['daily', 'weekly', 'monthly', 'weekdays', 'FREQ=DAILY;COUNT=4', 'FREQ=WEEKLY;BYDAY=MO,TH;COUNT=6'],
  ...['FREQ=MONTHLY;BYMONTHDAY=31', 'FREQ=DAILY;UNTIL=20260210', 'FREQ=DAILY;INTERVAL=2'],
]
interface Step {
  act: string
  on?: number
  scope?: string
  body?: object
  hours?: number
}

const hours = fc.integer({ min: -60, max: 400 })
const instant = hours.map((h) => new Date(START + h * HOUR_MS).toISOString())
const rule = fc.constantFrom(...RULES)

/** One or two fields of an edit. */
const fields = {
  title: fc.constantFrom('a', 'b'),
  tags: fc.constantFrom([], ['x'], ['X', 'y']),
  due_at: instant,
  due_date: instant.map((text) => text.slice(0, 10)),
  time_zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
  recurrence_rule: fc.option(rule, { freq: 8 }),
  repeat_from: fc.constantFrom('due', 'completion'),
  month_end: fc.constantFrom('clamp', 'skip'),
  exdates: fc.array(instant, { maxLength: 3 }),
  rdates: fc.array(instant, { maxLength: 2 }),
}
const names = Object.keys(fields) as (keyof typeof fields)[]
const edits: fc.Arbitrary<object> = fc
  .subarray(names, { minLength: 1, maxLength: 2 })
  .chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, fields[name]]))))

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ act: fc.constant('complete'), on: fc.constant(0) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constantFrom('complete', 'skip', 'skip', 'delete', 'restore', 'reopen', 'reopen'),
        on: fc.nat({ max: 5 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        act: fc.constant('edit'),
        on: fc.constantFrom(0, 0, 0, 1, 2),
        scope: fc.constantFrom('this', 'future', 'all'),
        body: edits,
      }),
    },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('deliver') }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('wait'), hours: fc.nat({ max: 90 }) }) },
  ),
  { minLength: 5, maxLength: 40 },
)

async function take(user: Client, step: Step, clock: { hours: number }): Promise<void> {
  if (step.act === 'deliver') return service.deliver()
  if (step.act === 'wait') {
    clock.hours += step.hours!
    return service.at(new Date(START + clock.hours * HOUR_MS).toISOString())
  }
  const tasks = await sql<{ id: string }[]>`select id from tasks where user_id = ${user.id} order by id desc`
  const path = `/api/tasks/${tasks[step.on! % tasks.length]!.id}`
  const got =
    step.act === 'edit'
      ? await user.send('PATCH', `${path}?scope=${step.scope}`, step.body)
      : step.act === 'delete'
        ? await user.send('DELETE', path)
        : await user.send('POST', `${path}/${step.act}`)
  if (got.status >= 500) throw new Error(`${JSON.stringify(step)}: ${JSON.stringify(got.body)}`)
}

/** Walks that once went wrong. */
const KNOWN: [string, object, Step[]][] = [
  // Two occurrences closed in the same millisecond, under different rules, and the earlier one reopened.
  [
    'FREQ=DAILY;COUNT=4',
    {},
    [
      { act: 'complete', on: 0 },
      { act: 'deliver' },
      { act: 'edit', on: 0, scope: 'all', body: { due_at: '2026-01-30T07:00:00.000Z' } },
      { act: 'complete', on: 0 },
      { act: 'deliver' },
      { act: 'reopen', on: 2 },
      { act: 'deliver' },
    ],
  ],
]

describe('a series, whatever is done to it', () => {
  it('goes on or has ended, and history tells each occurrence once', async () => {
    const walk = fc.asyncProperty(rule, edits, steps, async (recurrence_rule, input, walked) => {
      await sql`truncate user_counters, tasks, series, occurrences, tags, events, outbox, processed_events`
      const user = newUser()
      const clock = { hours: 0 }
      service.at(new Date(START).toISOString())
      const created = await user.send('POST', '/api/tasks', {
        ...{ title: 'a', due_at: new Date(START).toISOString() },
        ...{ ...input, recurrence_rule },
      })
      if (created.status !== 201) return
      for (const step of walked) await take(user, step, clock)
      await service.deliver()
      const idle = await sql`select id from series
        where user_id = ${user.id} and state = 'active' and live_task_id is null`
      expect([...idle]).toEqual([])
      expect(await faultsInTheBooks(sql)).toEqual([])
    })
    await fc.assert(walk, { numRuns: WALKS, examples: KNOWN })
  }, 600_000)
})

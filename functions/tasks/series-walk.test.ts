import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromJson, taskFromRow, type TaskRow } from '../../shared/db/tasks/task-rows.ts'
import { HOUR_MS } from '../../shared/domain/durations.ts'
import { taskView } from '../../shared/domain/tasks/task.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'
import { invariantViolations } from '../../testing/worlds/invariants.ts'

const service = await taskService()
const { newUser, sql } = service

/** How many walks; more on demand. */
const WALKS = Number(process.env['WALKS'] ?? 25)
const START = Date.parse('2026-01-30T08:00:00Z')

const RULES = [
  'daily',
  'weekly',
  'monthly',
  'weekdays',
  'FREQ=DAILY;COUNT=4',
  'FREQ=WEEKLY;BYDAY=MO,TH;COUNT=6',
  'FREQ=MONTHLY;BYMONTHDAY=31',
  'FREQ=DAILY;UNTIL=20260210',
  'FREQ=DAILY;INTERVAL=2',
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

/** Who follows the events knows every task as it is, and each change began where the one before ended. */
async function expectEventsTellAll(user: Client): Promise<void> {
  const told = new Map<string, Record<string, unknown>>()
  for (const { data } of await user.events()) {
    if (!data.task) continue
    const before = told.get(data.task.id)
    for (const [field, change] of Object.entries(data.changes ?? {})) {
      if (field in data.task) expect([field, change.old]).toEqual([field, before?.[field]])
    }
    told.set(data.task.id, data.task)
  }
  const rows = await sql<{ task: TaskRow }[]>`
    select to_jsonb(t) as task from tasks t where user_id = ${user.id}`
  for (const { task } of rows) expect(told.get(task.id)).toEqual(taskView(taskFromRow(fromJson(task))))
  expect(told.size).toBe(rows.length)
}

interface Walk {
  rule: string
  input: object
  steps: Step[]
  /** How many steps are taken at the same time. */
  pace: number
}

async function walk({ rule, input, steps, pace }: Walk): Promise<void> {
  await sql`truncate user_counters, tasks, series, occurrences, tags, events, outbox, processed_events`
  const user = newUser()
  const clock = { hours: 0 }
  service.at(new Date(START).toISOString())
  const created = await user.send('POST', '/api/tasks', {
    title: 'a',
    due_at: new Date(START).toISOString(),
    ...input,
    recurrence_rule: rule,
  })
  if (created.status !== 201) return
  for (let n = 0; n < steps.length; n += pace) {
    await Promise.all(steps.slice(n, n + pace).map((step) => take(user, step, clock)))
  }
  await service.deliver()
  const idle = await sql`select id from series
    where user_id = ${user.id} and state = 'active' and live_task_id is null`
  expect([...idle]).toEqual([])
  expect(await invariantViolations(sql)).toEqual([])
  await expectEventsTellAll(user)
}

/** Walks that once went wrong. */
const KNOWN: Walk[] = [
  {
    // Two occurrences closed in the same millisecond, under different rules, and the earlier one reopened.
    rule: 'FREQ=DAILY;COUNT=4',
    input: {},
    pace: 1,
    steps: [
      { act: 'complete', on: 0 },
      { act: 'deliver' },
      { act: 'edit', on: 0, scope: 'all', body: { due_at: '2026-01-30T07:00:00.000Z' } },
      { act: 'complete', on: 0 },
      { act: 'deliver' },
      { act: 'reopen', on: 2 },
      { act: 'deliver' },
    ],
  },
  {
    // More completed ahead of time than fits into one look at the newest, then counted from completion.
    rule: 'daily',
    input: {},
    pace: 1,
    steps: [
      ...Array.from({ length: 60 }, () => [{ act: 'complete', on: 0 }, { act: 'deliver' }]).flat(),
      { act: 'edit', on: 0, scope: 'this', body: { repeat_from: 'completion' } },
      { act: 'complete', on: 0 },
      { act: 'deliver' },
    ],
  },
]

describe('a series, whatever is done to it', () => {
  it('goes on or has ended, and history and events tell it all', async () => {
    const walks = fc.record({ rule, input: edits, steps, pace: fc.constantFrom(1, 1, 4) })
    const property = fc.asyncProperty(walks, walk)
    await fc.assert(property, { numRuns: WALKS, examples: KNOWN.map((known): [Walk] => [known]) })
  }, 600_000)
})

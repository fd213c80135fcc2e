import { describe, expect, it, vi } from 'vitest'
import type { Client } from '../worlds/task-service.ts'
import { RFC5545_EXAMPLES, RFC5545_TIME_ZONE, type Rfc5545Series } from '../builders/rfc5545-examples.ts'
import { instantToWall, wallToInstant } from '../../shared/domain/recurrence/wall-clock.ts'
import { product } from './harness/product.ts'

/** The calendar repeats after 28 years: with twice as many the examples are still to come, on the same weekdays. */
const LATER_YEARS = 56
/** As many as an answer holds. */
const PAGE = 100
/** What a consumer makes of a completion. */
const ENDINGS = ['task.occurrence.generated', 'series.ended']

const { newUser } = await product()

const later = (text: string) => text.replace(/^\d{4}/, (year) => String(Number(year) + LATER_YEARS))
/** The same time of the same day in New York. */
const laterInstant = (date: Date) =>
  wallToInstant(later(instantToWall(date, RFC5545_TIME_ZONE)), RFC5545_TIME_ZONE).toISOString()

const series = RFC5545_EXAMPLES.filter((example): example is Rfc5545Series => 'expected' in example).map(
  ({ name, rule, start, exdates, expected, isEndless }) => ({
    name,
    isEndless,
    exdates: exdates.map(laterInstant),
    expected: expected.map(laterInstant),
    rule: rule.replace(/(?<=UNTIL=)\w+/, later),
    start: laterInstant(start),
  }),
)
type Example = (typeof series)[number]

const create = (user: Client, { name, rule, start, exdates }: Example) =>
  user.create({ title: name, recurrence_rule: rule, due_at: start, exdates, time_zone: RFC5545_TIME_ZONE })

/** Completes the open occurrence and waits for the one that a consumer makes of it, or for the end of the series. */
async function next(user: Client, id: string) {
  await user.does('POST', `/api/tasks/${id}/complete`)
  const seen = (await user.events()).findLast(
    ({ type, data }) => type === 'task.completed' && data.task.id === id,
  )
  const event = await vi.waitFor(
    async () => {
      const following = (await user.events(seen!.seq)).find(({ type }) => ENDINGS.includes(type))
      if (!following) throw new Error(`nothing followed the completion of ${id}`)
      return following
    },
    { timeout: 30_000 },
  )
  return event.type === 'series.ended' ? null : event.data.task
}

describe.concurrent('the examples of RFC 5545 §3.8.5.3, as clients see them', () => {
  it.each(series)('$name: $rule are foretold', async (example) => {
    const user = await newUser()
    const task = await create(user, example)
    const got = await user.send('GET', `/api/tasks/${task.id}/occurrences?limit=${PAGE}`)
    const { upcoming } = got.body as { upcoming: { occurrence_at: string }[] }
    const instants = [task.due_at, ...upcoming.map(({ occurrence_at }) => occurrence_at)]
    const expected = example.expected.slice(0, PAGE)
    expect(instants.slice(0, expected.length)).toEqual(expected)
    if (example.expected.length <= PAGE) expect(instants.length > expected.length).toBe(example.isEndless)
  })

  it.each(series.filter(({ expected, isEndless }) => expected.length <= 12 && !isEndless))(
    '$name: $rule come one by one, each from the completion before',
    async (example) => {
      const user = await newUser()
      const first = await create(user, example)
      const walked = [first.due_at]
      for (let task = await next(user, first.id); task; task = await next(user, task.id))
        walked.push(task.due_at)
      expect(walked).toEqual(example.expected)
    },
  )
})

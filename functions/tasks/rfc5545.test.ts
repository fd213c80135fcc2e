import { describe, expect, it } from 'vitest'
import {
  RFC5545_EXAMPLES,
  RFC5545_TIME_ZONE,
  type Rfc5545Refusal,
  type Rfc5545Series,
} from '../../testing/builders/rfc5545-examples.ts'
import { taskService, type Client } from '../../testing/worlds/task-service.ts'

const service = await taskService(['tasks/list-occurrences'])
const { newUser } = service

const BEFORE_THEM_ALL = '1990-01-01T00:00:00Z'
const PAGE = 100

const series = RFC5545_EXAMPLES.filter((example): example is Rfc5545Series => 'expected' in example)
const refusals = RFC5545_EXAMPLES.filter((example): example is Rfc5545Refusal => 'rejectedPart' in example)

function create(user: Client, { name, rule, start }: { name: string; rule: string; start: Date }, more = {}) {
  service.at(BEFORE_THEM_ALL)
  const input = {
    title: name,
    recurrence_rule: rule,
    due_at: start.toISOString(),
    time_zone: RFC5545_TIME_ZONE,
  }
  return user.send('POST', '/api/tasks', { ...input, ...more })
}

/** As many instants as are wanted, a page at a time: a page begins where the clock stands. */
async function upcoming(user: Client, id: string, wanted: number): Promise<string[]> {
  const found: string[] = []
  while (found.length < wanted) {
    const got = await user.send('GET', `/api/tasks/${id}/occurrences?limit=${PAGE}`)
    const page = (got.body as { upcoming: { occurrence_at: string }[] }).upcoming
    found.push(...page.map((occurrence) => occurrence.occurrence_at))
    if (page.length < PAGE) break
    service.at(found.at(-1)!)
  }
  return found
}

describe('the examples of RFC 5545 §3.8.5.3 through the API', () => {
  it('are all there', () => {
    expect([series.length, refusals.length]).toEqual([37, 5])
  })

  it.each(series)('$name: $rule', async (example) => {
    const user = newUser()
    const exdates = example.exdates.map((date) => date.toISOString())
    const { status, task } = await create(user, example, { exdates })
    expect(status).toBe(201)
    // One more than the RFC prints shows whether the series goes on.
    const rest = await upcoming(user, task.id, example.expected.length)
    const instants = [task.due_at!, ...rest]
    const expected = example.expected.map((date) => date.toISOString())
    expect(instants.slice(0, expected.length)).toEqual(expected)
    expect(instants.length > expected.length).toBe(example.isEndless)
  })

  it.each(refusals)('$name: $rule is refused, naming $rejectedPart', async (example) => {
    const got = await create(newUser(), example)
    expect(got).toMatchObject({
      status: 422,
      problem: {
        code: 'request.invalid',
        errors: [{ path: 'recurrence_rule', message: expect.stringContaining(example.rejectedPart) }],
      },
    })
  })

  // Completing on time walks the same way as looking ahead.
  it.each(series.filter(({ expected, isEndless }) => expected.length <= 12 && !isEndless))(
    '$name: completed one by one',
    async (example) => {
      const user = newUser()
      let { task } = await create(user, example)
      const walked = [task.due_at]
      for (const at of example.expected) {
        const following = await service.next(user, task.id, at.toISOString())
        if (!following) break
        task = following
        walked.push(task.due_at)
      }
      expect(walked).toEqual(example.expected.map((date) => date.toISOString()))
      expect((await user.events()).at(-1)?.type).toBe('series.ended')
    },
  )
})

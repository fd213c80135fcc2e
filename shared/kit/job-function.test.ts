import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { jobFunction } from './job-function.ts'
import { mountFunctions } from './mount-functions.ts'

const { deps, logged } = await testDaybook()

/** A job function that remembers its calls, behind an app that its sidecar calls. */
function remembering() {
  const calls: { name: string; id: string; madeBy: string }[] = []
  const fn = jobFunction({
    job: 'reminder',
    uses: [],
    data: z.object({ id: z.string(), fails: z.boolean().optional() }),
    handle: async ({ name, data, madeBy }) => {
      calls.push({ name, id: data.id, madeBy })
      if (data.fails) throw new Error('not now')
    },
  })
  fn.name = 'test/remember'
  const app = mountFunctions([fn], deps)
  const fire = async (name: string, data: unknown) => {
    const body = JSON.stringify(data)
    const answer = await app.request(`/job/${name}`, { method: 'POST', body, ...asSidecar })
    return answer.status
  }
  return { fire, calls }
}

describe('jobFunction', () => {
  it('takes the jobs of its prefix, with their name and data, and says what it is', async () => {
    const { fire, calls } = remembering()
    expect(await fire('reminder-7', { id: '7' })).toBe(204)
    expect(calls).toEqual([{ name: 'reminder-7', id: '7', madeBy: 'job/remember' }])
  })

  it('leaves the jobs of another prefix alone', async () => {
    const { fire, calls } = remembering()
    expect(await fire('digest-7', { id: '7' })).toBe(404)
    expect(calls).toEqual([])
  })

  it('answers 5xx when the work fails, so that the failure policy of the job calls again', async () => {
    const { fire } = remembering()
    expect(await fire('reminder-7', { id: '7', fails: true })).toBe(500)
  })

  it('is done with data that no retry can make readable, and says so', async () => {
    const { fire, calls } = remembering()
    expect(await fire('reminder-7', { nothing: true })).toBe(204)
    expect(calls).toEqual([])
    expect(logged.at(-1)).toMatchObject({ level: 'error', message: 'dropped job with unreadable data' })
  })
})

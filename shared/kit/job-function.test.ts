import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Deps } from '../app/ports.ts'
import { jobFunction } from './job-function.ts'
import { systemIds } from './system.ts'

/** A job function that remembers its calls, behind an app that its sidecar calls. */
function remembering() {
  const calls: { name: string; id: string }[] = []
  const errors: string[] = []
  const deps = {
    ids: systemIds,
    log: { info: () => {}, warn: () => {}, error: (_: object, message: string) => void errors.push(message) },
    settings: { appToken: 'of-the-sidecar' },
  } as unknown as Deps
  const app = jobFunction({
    job: 'reminder',
    data: z.object({ id: z.string(), fails: z.boolean().optional() }),
    handle: async ({ name, data }) => {
      calls.push({ name, id: data.id })
      if (data.fails) throw new Error('not now')
    },
  }).createApp(deps)
  const fire = async (name: string, data: unknown) => {
    const headers = { 'dapr-api-token': 'of-the-sidecar' }
    const answer = await app.request(`/job/${name}`, { method: 'POST', headers, body: JSON.stringify(data) })
    return answer.status
  }
  return { fire, calls, errors }
}

describe('jobFunction', () => {
  it('takes the jobs of its prefix, with their name and data', async () => {
    const { fire, calls } = remembering()
    expect(await fire('reminder-7', { id: '7' })).toBe(204)
    expect(calls).toEqual([{ name: 'reminder-7', id: '7' }])
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
    const { fire, calls, errors } = remembering()
    expect(await fire('reminder-7', { nothing: true })).toBe(204)
    expect(calls).toEqual([])
    expect(errors).toEqual(['job with unreadable data dropped'])
  })
})

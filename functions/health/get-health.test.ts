import { describe, expect, it } from 'vitest'
import { healthDeps } from '../../shared/testing/health-deps.ts'
import getHealth from './get-health.ts'

const ask = (world: Parameters<typeof healthDeps>[0]) =>
  getHealth.createApp(healthDeps(world).deps).request('/api/health')

describe('GET /api/health', () => {
  it('answers available when everything answers', async () => {
    const answer = await ask({})
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'available', database: 'available', sidecar: 'available' })
  })

  it('answers degraded, not an error, without the sidecar: tasks still work', async () => {
    const answer = await ask({ sidecar: false })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ status: 'degraded', sidecar: 'unavailable' })
  })

  it('answers 503 without the database', async () => {
    const answer = await ask({ database: 'throws' })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({
      code: 'service.unavailable',
      errors: [{ path: 'database', message: 'does not answer' }],
    })
  })
})

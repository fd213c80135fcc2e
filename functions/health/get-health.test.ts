import { describe, expect, it } from 'vitest'
import { healthDeps } from '../../testing/worlds/health-deps.ts'
import getHealth from './get-health.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'

const PATHS = ['/api/health', '/healthz']

const ask = (path: string, world: Parameters<typeof healthDeps>[0]) =>
  mountFunctions([getHealth], healthDeps(world).deps).request(path)

describe.each(PATHS)('GET %s', (path) => {
  it('answers available when everything answers', async () => {
    const answer = await ask(path, {})
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'available', database: 'available', sidecar: 'available' })
  })

  it('answers degraded, not an error, without the sidecar: tasks still work', async () => {
    const answer = await ask(path, { sidecar: false })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ status: 'degraded', sidecar: 'unavailable' })
  })

  it('answers 503 without the database', async () => {
    const answer = await ask(path, { database: 'throws' })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({
      code: 'service.unavailable',
      errors: [{ path: 'database', message: 'does not answer' }],
    })
  })
})

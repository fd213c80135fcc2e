import { describe, expect, it } from 'vitest'
import { healthDeps } from '../../testing/worlds/health-deps.ts'
import checkLiveness from './check-liveness.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'

describe('GET /livez', () => {
  it('answers 200 while neither database nor sidecar answers, and asks neither', async () => {
    const { deps, world } = healthDeps({ database: 'hangs', sidecar: 'hangs' })
    const answer = await mountFunctions([checkLiveness], deps).request('/livez')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'alive' })
    expect(world.asked).toBe(0)
  })
})

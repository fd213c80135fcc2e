import { describe, expect, it } from 'vitest'
import { healthDeps } from '../../testing/worlds/health-deps.ts'
import checkReadiness from './check-readiness.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'

describe('GET /readyz', () => {
  it('answers 200 when database and sidecar answer', async () => {
    const { deps } = healthDeps()
    const answer = await mountFunctions([checkReadiness], deps).request('/readyz')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ status: 'ready' })
  })

  it.each([
    ['the database is away', { database: false }, ['database']],
    ['the sidecar is not ready for outbound calls', { sidecar: false }, ['sidecar']],
    ['a check throws', { database: 'throws' }, ['database']],
    ['nothing answers at all', { database: 'hangs', sidecar: 'hangs' }, ['database', 'sidecar']],
  ] as const)('answers 503 and names what is missing when %s', async (_, world, missing) => {
    const { deps } = healthDeps(world)
    const answer = await mountFunctions([checkReadiness], deps).request('/readyz')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('retry-after')).toBe('1')
    const problem = (await answer.json()) as { errors: { path: string }[] }
    expect(problem.errors.map((error) => error.path)).toEqual(missing)
    expect(JSON.stringify(problem)).not.toContain('secret')
  })

  it('stays ready when the sidecar goes away later, and not when the database does', async () => {
    const { deps, world } = healthDeps()
    const app = mountFunctions([checkReadiness], deps)
    expect((await app.request('/readyz')).status).toBe(200)
    world.sidecar = false
    expect((await app.request('/readyz')).status).toBe(200)
    world.database = false
    expect((await app.request('/readyz')).status).toBe(503)
  })

  it('asks the database once for any number of probes at the same time', async () => {
    const { deps, world } = healthDeps()
    const app = mountFunctions([checkReadiness], deps)
    await Promise.all(Array.from({ length: 50 }, async () => app.request('/readyz')))
    expect(world.asked).toBe(2)
    await app.request('/readyz')
    expect(world.asked).toBe(4)
  })
})

import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { FeatureReport } from '../shared/app/health/feature-status.ts'
import { apiWorld, type ApiWorld } from '../testing/worlds/api-world.ts'
import { obligingSidecar } from '../testing/worlds/compose-daybook.ts'

let world: ApiWorld
let isUp = true
const published: string[] = []
beforeAll(async () => {
  world = await apiWorld(async (url, init) => {
    if (!isUp) throw new TypeError('fetch failed')
    if (url.includes('/task-events')) published.push(JSON.stringify(init.body))
    return obligingSidecar(url, init)
  })
})

const statusOf = async (path: string) => (await world.ask('GET', path)).status
const features = async () =>
  (JSON.parse((await world.ask('GET', '/api/health/status')).text) as FeatureReport).features

describe('while the sidecar is down', () => {
  it('tasks go on, health says what waits, and everything flows when it is back', async () => {
    const ada = await world.register()
    expect(await statusOf('/readyz')).toBe(200)
    expect((await features()).outbox?.status).toBe('available')

    isUp = false
    const task = await world.have(ada, 'POST', '/api/tasks', { title: 'Written during the outage' })
    expect(await world.have(ada, 'GET', `/api/tasks/${String(task.id)}`)).toMatchObject({ id: task.id })
    expect(await features()).toMatchObject({
      tasks: { status: 'available' },
      auth: { status: 'available' },
      outbox: { status: 'queued' },
      recurrence: { status: 'queued' },
    })
    // The process stays in service: taking it out would stop the tasks as well.
    expect(await statusOf('/readyz')).toBe(200)
    expect(await statusOf('/livez')).toBe(200)
    expect(await statusOf('/healthz')).toBe(200)

    isUp = true
    await vi.waitFor(() => expect(published.join()).toContain(String(task.id)), { timeout: 10_000 })
    await vi.waitFor(async () => expect((await features()).outbox?.status).toBe('available'), {
      timeout: 10_000,
    })
    expect(await statusOf('/readyz')).toBe(200)
  })
})

import { describe, expect, it } from 'vitest'
import type { FeatureReport } from '../../shared/app/health/feature-status.ts'
import { healthDeps, type World } from '../../testing/worlds/health-deps.ts'
import { functionNames } from '../main.ts'
import getFeatureStatus from './get-feature-status.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'

function askingAbout(change: Partial<World>) {
  const { deps, world } = healthDeps(change)
  const app = mountFunctions([getFeatureStatus], deps)
  const ask = async () => {
    const answer = await app.request('/api/health/status')
    expect(answer.status).toBe(200)
    return (await answer.json()) as FeatureReport
  }
  return { ask, world }
}

const statuses = ({ features }: FeatureReport) =>
  Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, feature.status]))

describe('GET /api/health/status', () => {
  it('reports every service there is', async () => {
    const services = new Set(functionNames().map((name) => name.split('/')[0]!))
    services.delete('health')
    expect(Object.keys((await askingAbout({}).ask()).features).toSorted()).toEqual([...services].toSorted())
  })

  it('calls everything available while everything answers', async () => {
    const report = await askingAbout({}).ask()
    expect(report.status).toBe('available')
    expect(statuses(report)).toMatchObject({
      tasks: 'available',
      outbox: 'available',
      recurrence: 'available',
      auth: 'available',
      reminders: 'available',
      notifications: 'available',
      sync: 'available',
    })
  })

  it('names the channels that are not configured, which is no fault', async () => {
    const { deps } = healthDeps()
    Object.assign(deps.settings, { disabledChannels: { web_push: 'set PUBLIC_URL' } })
    const answer = await mountFunctions([getFeatureStatus], deps).request('/api/health/status')
    expect(await answer.json()).toMatchObject({
      status: 'available',
      disabled: { web_push: 'set PUBLIC_URL' },
    })
  })

  it('keeps tasks available and calls events queued while the sidecar is down', async () => {
    const report = await askingAbout({ sidecar: false }).ask()
    expect(report.status).toBe('degraded')
    expect(statuses(report)).toMatchObject({
      tasks: 'available',
      auth: 'available',
      outbox: 'queued',
      recurrence: 'queued',
      reminders: 'available',
      notifications: 'degraded',
    })
  })

  it.each([
    ['reminders', 'dueReminder', 'notifications'],
    ['notifications', 'dueDelivery', 'reminders'],
    ['recurrence', 'waitingSeries', 'outbox'],
  ] as const)('calls %s degraded once a %s waits for longer than a minute', async (feature, which, other) => {
    const { ask, world } = askingAbout({ [which]: new Date('2026-03-01T08:59:00.000Z') })
    expect((await ask()).features[feature]?.status).toBe('available')
    world.now = new Date('2026-03-01T09:00:00.001Z')
    const report = await ask()
    expect(report.status).toBe('degraded')
    expect(report.features[feature]).toEqual({ status: 'degraded', since: '2026-03-01T08:59:00.000Z' })
    expect(report.features[other]?.status).toBe('available')
    world[which] = null
    expect((await ask()).features[feature]).toEqual({
      status: 'available',
      since: '2026-03-01T09:00:00.001Z',
    })
  })

  it('calls degraded what it cannot ask about, without waiting for it', async () => {
    const { ask, world } = askingAbout({ dueReminder: 'hangs', dueDelivery: 'hangs', waitingSeries: 'hangs' })
    const degraded = { status: 'degraded', since: world.now.toISOString() }
    expect((await ask()).features).toMatchObject({
      reminders: degraded,
      notifications: degraded,
      recurrence: degraded,
      tasks: { status: 'available' },
    })
  })

  it('says since when publishing fails', async () => {
    const since = new Date('2026-03-01T08:30:00Z')
    const report = await askingAbout({ publishing: { status: 'queued', since } }).ask()
    expect(report.features.outbox).toEqual({ status: 'queued', since: '2026-03-01T08:30:00.000Z' })
  })

  it('notices events that wait although this process itself publishes nothing', async () => {
    const { ask, world } = askingAbout({ oldestEvent: new Date('2026-03-01T08:59:55Z') })
    expect((await ask()).features.outbox?.status).toBe('available')
    world.now = new Date('2026-03-01T09:00:30Z')
    expect((await ask()).features.outbox).toEqual({ status: 'queued', since: '2026-03-01T08:59:55.000Z' })
    world.oldestEvent = null
    world.now = new Date('2026-03-01T09:01:00Z')
    expect((await ask()).features.outbox).toEqual({ status: 'available', since: '2026-03-01T09:01:00.000Z' })
  })

  it('calls everything that needs the database degraded while it is away, whether it refuses or hangs', async () => {
    for (const database of ['throws', 'hangs'] as const) {
      const report = await askingAbout({ database }).ask()
      expect(statuses(report)).toMatchObject({
        tasks: 'degraded',
        outbox: 'degraded',
        auth: 'degraded',
        reminders: 'degraded',
        notifications: 'degraded',
      })
    }
  })

  it('keeps the moment a status began until it changes', async () => {
    const { ask, world } = askingAbout({})
    const began = '2026-03-01T09:00:00.000Z'
    await ask()
    world.now = new Date('2026-03-01T09:10:00Z')
    expect((await ask()).features.tasks?.since).toBe(began)
    world.database = false
    expect((await ask()).features.tasks).toEqual({ status: 'degraded', since: '2026-03-01T09:10:00.000Z' })
    world.now = new Date('2026-03-01T09:20:00Z')
    world.database = true
    expect((await ask()).features.tasks).toEqual({ status: 'available', since: '2026-03-01T09:20:00.000Z' })
  })
})

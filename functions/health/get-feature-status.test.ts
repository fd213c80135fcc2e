import { describe, expect, it } from 'vitest'
import type { FeatureReport } from '../../shared/app/feature-status.ts'
import { healthDeps, type World } from '../../shared/testing/health-deps.ts'
import getFeatureStatus from './get-feature-status.ts'

function askingAbout(change: Partial<World>) {
  const { deps, world } = healthDeps(change)
  const app = getFeatureStatus.createApp(deps)
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
  it('calls what works available and what is yet to come disabled', async () => {
    const report = await askingAbout({}).ask()
    expect(report.status).toBe('available')
    expect(statuses(report)).toMatchObject({
      ...{ tasks: 'available', events: 'available', recurrence: 'available', identity: 'available' },
      ...{ reminders: 'disabled', notifications: 'disabled', sync: 'disabled' },
    })
  })

  it('keeps tasks available and calls events queued while the sidecar is down', async () => {
    const report = await askingAbout({ sidecar: false }).ask()
    expect(report.status).toBe('degraded')
    expect(statuses(report)).toMatchObject({
      ...{ tasks: 'available', identity: 'available', events: 'queued', recurrence: 'queued' },
    })
  })

  it('says since when publishing fails', async () => {
    const since = new Date('2026-03-01T08:30:00Z')
    const report = await askingAbout({ publishing: { status: 'queued', since } }).ask()
    expect(report.features.events).toEqual({ status: 'queued', since: '2026-03-01T08:30:00.000Z' })
  })

  it('notices events that wait although this process itself publishes nothing', async () => {
    const { ask, world } = askingAbout({ oldestEvent: new Date('2026-03-01T08:59:55Z') })
    expect((await ask()).features.events.status).toBe('available')
    world.now = new Date('2026-03-01T09:00:30Z')
    expect((await ask()).features.events).toEqual({ status: 'queued', since: '2026-03-01T08:59:55.000Z' })
  })

  it('calls everything that needs the database degraded while it is away, whether it refuses or hangs', async () => {
    for (const database of ['throws', 'hangs'] as const) {
      const report = await askingAbout({ database }).ask()
      expect(statuses(report)).toMatchObject({ tasks: 'degraded', events: 'degraded', identity: 'degraded' })
    }
  })

  it('keeps the moment a status began until it changes', async () => {
    const { ask, world } = askingAbout({})
    const began = '2026-03-01T09:00:00.000Z'
    await ask()
    world.now = new Date('2026-03-01T09:10:00Z')
    expect((await ask()).features.tasks.since).toBe(began)
    world.database = false
    expect((await ask()).features.tasks).toEqual({ status: 'degraded', since: '2026-03-01T09:10:00.000Z' })
    world.now = new Date('2026-03-01T09:20:00Z')
    world.database = true
    expect((await ask()).features.tasks).toEqual({ status: 'available', since: '2026-03-01T09:20:00.000Z' })
  })
})

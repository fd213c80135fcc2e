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
      ...{ reminders: 'available', notifications: 'available', sync: 'disabled' },
    })
  })

  it('keeps tasks available and calls events queued while the sidecar is down', async () => {
    const report = await askingAbout({ sidecar: false }).ask()
    expect(report.status).toBe('degraded')
    expect(statuses(report)).toMatchObject({
      ...{ tasks: 'available', identity: 'available', events: 'queued', recurrence: 'queued' },
      ...{ reminders: 'available', notifications: 'degraded' },
    })
  })

  it.each(['dueReminder', 'dueDelivery'] as const)(
    'calls notifications degraded once a %s waits for longer than a minute',
    async (which) => {
      const { ask, world } = askingAbout({ [which]: new Date('2026-03-01T08:59:00.000Z') })
      expect((await ask()).features.notifications.status).toBe('available')
      world.now = new Date('2026-03-01T09:00:00.001Z')
      const report = await ask()
      expect(report.status).toBe('degraded')
      expect(report.features.notifications).toEqual({ status: 'degraded', since: '2026-03-01T08:59:00.000Z' })
      expect(report.features.reminders.status).toBe('available')
      world[which] = null
      expect((await ask()).features.notifications).toMatchObject({ status: 'available' })
    },
  )

  it('takes the one that has waited longest for the beginning', async () => {
    const [earlier, later] = [new Date('2026-03-01T08:10:00Z'), new Date('2026-03-01T08:20:00Z')]
    const { ask } = askingAbout({ dueReminder: later, dueDelivery: earlier })
    expect((await ask()).features.notifications.since).toBe('2026-03-01T08:10:00.000Z')
  })

  it('does not wait for an answer about what is due', async () => {
    const { ask } = askingAbout({ dueReminder: 'hangs', dueDelivery: 'hangs' })
    expect((await ask()).features.notifications.status).toBe('available')
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
      expect(statuses(report)).toMatchObject({
        ...{ tasks: 'degraded', events: 'degraded', identity: 'degraded' },
        ...{ reminders: 'degraded', notifications: 'degraded' },
      })
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

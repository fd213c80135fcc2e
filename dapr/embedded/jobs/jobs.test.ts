import { describe, expect, it, vi } from 'vitest'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { embeddedSidecar, type Driver } from '../../../testing/sidecar/embedded-sidecar.ts'
import { createRecordingApp } from '../../../testing/sidecar/recording-app.ts'

// What a job does is in testing/conformance/jobs.test.ts.
const schedule = (name: string, job: unknown, driver: Driver) =>
  driver.call(`/v1.0/jobs/${name}`, { method: 'POST', body: JSON.stringify(job) })
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()

describe('jobs and several sidecars', () => {
  it('each job goes to one of several sidecars, and never twice at once', async () => {
    const sql = await testDatabase()
    const app = createRecordingApp()
    const drivers = [
      await embeddedSidecar(sql, { app, appId: 'pool' }),
      await embeddedSidecar(sql, { app, appId: 'pool' }),
      await embeddedSidecar(sql, { app, appId: 'pool' }),
    ]
    let running = 0
    let most = 0
    app.on('/job/alone', async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 120))
      running -= 1
      return undefined
    })
    await schedule('alone', { schedule: '@every 50ms', repeats: 5, data: {} }, drivers[0]!)
    const names = Array.from({ length: 100 }, (_, n) => `many-${n}`)
    await Promise.all(names.map((name) => schedule(name, { dueTime: inMs(100), data: {} }, drivers[1]!)))
    await vi.waitFor(() => expect(app.calls('/job/alone')).toHaveLength(5), 10_000)
    for (const { sidecar } of drivers) await sidecar.idle()
    expect(most).toBe(1)
    for (const name of names) expect(app.calls(`/job/${name}`)).toHaveLength(1)
  })
})

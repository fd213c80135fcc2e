import { describe, expect, it, vi } from 'vitest'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { embeddedSidecar, testResources } from '../../../testing/sidecar/embedded-sidecar.ts'
import { createManualTime } from '../../../testing/sidecar/manual-time.ts'
import { createRecordingApp } from '../../../testing/sidecar/recording-app.ts'

const START = '2026-03-02T08:59:30.250Z'

const binding = (name: string, schedule: string, more = '') => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: bindings.cron
  version: v1
  metadata:
    - { name: schedule, value: "${schedule}" }
    - { name: route, value: /dapr/cron/${name} }
${more}
`
const input = '    - { name: direction, value: input }'

async function started(yaml: string) {
  const time = createManualTime(START)
  const app = createRecordingApp(time)
  const options = { app, clock: time, delay: time.delay, resources: testResources(yaml) }
  const { sidecar } = await embeddedSidecar(await testDatabase(), options)
  return { app, time, sidecar, times: (path: string) => app.calls(path).map(({ at }) => at.toISOString()) }
}

describe('cron bindings', () => {
  it('call the route with an empty body by the schedule, not at the start', async () => {
    const { app, time, times } = await started(binding('tick', '@every 10s', input))
    await time.advance(35_000)
    expect(times('/dapr/cron/tick')).toEqual([
      '2026-03-02T08:59:40.250Z',
      '2026-03-02T08:59:50.250Z',
      '2026-03-02T09:00:00.250Z',
    ])
    expect(app.calls('/dapr/cron/tick')[0]).toMatchObject({ method: 'POST', body: '' })
  })

  it('take five fields or six', async () => {
    const { time, times } = await started(
      binding('five', '0 9 * * *', input) + '---' + binding('six', '5 0 9 * * *', input),
    )
    await time.advance(60_000)
    expect(times('/dapr/cron/five')).toEqual(['2026-03-02T09:00:00.000Z'])
    expect(times('/dapr/cron/six')).toEqual(['2026-03-02T09:00:05.000Z'])
  })

  it('go on whatever the app answers', async () => {
    const { app, time } = await started(binding('tick', '@every 10s', input))
    app.on('/dapr/cron/tick', (_, attempt) =>
      attempt === 1 ? Promise.reject(new Error('down')) : new Response(null, { status: 500 }),
    )
    await time.advance(30_000)
    expect(app.calls('/dapr/cron/tick')).toHaveLength(3)
  })

  it('ask the app first when the direction is not said', async () => {
    const app = createRecordingApp()
    app.on('/dapr/cron/unwanted', () => new Response(null, { status: 404 }))
    const yaml = binding('wanted', '@every 20ms') + '---' + binding('unwanted', '@every 20ms')
    const { sidecar } = await embeddedSidecar(await testDatabase(), { app, resources: testResources(yaml) })
    await vi.waitFor(() => expect(app.calls('/dapr/cron/wanted').length).toBeGreaterThan(2))
    await sidecar.stop()
    expect(app.calls('/dapr/cron/wanted')[0]!.method).toBe('OPTIONS')
    expect(app.calls('/dapr/cron/unwanted').map(({ method }) => method)).toEqual(['OPTIONS'])
  })

  it('fire only where they are in scope', async () => {
    const { app, time } = await started(binding('tick', '@every 10s', input) + 'scopes: [elsewhere]\n')
    await time.advance(30_000)
    expect(app.calls('/dapr/cron/tick')).toHaveLength(0)
  })
})

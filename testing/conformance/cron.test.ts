import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp, type RecordingApp } from '../sidecar/recording-app.ts'
import { component } from './harness/components.ts'
import { eventually, startSidecar } from './harness/sidecar.ts'

let app: RecordingApp
let startedAt = 0

beforeAll(async () => {
  app = createRecordingApp()
  app.on('/dapr/cron/unwanted', () => new Response(null, { status: 404 }))
  app.on(
    '/dapr/cron/undecided',
    ({ method }) => new Response(null, { status: method === 'OPTIONS' ? 405 : 200 }),
  )
  app.on('/dapr/cron/failing', (_, attempt) =>
    attempt === 1 ? Promise.reject(new Error('down')) : new Response(null, { status: 500 }),
  )
  const cron = (name: string, schedule: string, more: Record<string, string> = { direction: 'input' }) =>
    component(name, 'bindings.cron', { schedule, route: `/dapr/cron/${name}`, ...more })
  startedAt = Date.now()
  await startSidecar({
    app,
    hasPubsub: false,
    resources: [
      cron('tick', '@every 1s'),
      cron('six', '* * * * * *'),
      cron('failing', '@every 1s'),
      cron('wanted', '@every 1s', {}),
      cron('undecided', '@every 1s', {}),
      cron('unwanted', '@every 1s', {}),
      component('named', 'bindings.cron', { schedule: '@every 1s', direction: 'input' }),
      component(
        'elsewhere',
        'bindings.cron',
        { schedule: '@every 1s', direction: 'input' },
        { scopes: ['other-app'] },
      ),
    ],
  })
})

const ticked = (path: string, times: number) =>
  eventually(() => {
    expect(app.calls(path).length).toBeGreaterThanOrEqual(times)
    return app.calls(path)
  })

describe('cron bindings', () => {
  it('call the route by POST with an empty body, second after second, not at the start', async () => {
    const [first, second, third] = await ticked('/dapr/cron/tick', 3)
    expect(first).toMatchObject({ method: 'POST', body: '' })
    expect(first!.headers.get('content-type')).toContain('application/json')
    expect(first!.at.getTime() - startedAt).toBeGreaterThan(900)
    for (const [a, b] of [
      [first!, second!],
      [second!, third!],
    ] as const) {
      expect(b.at.getTime() - a.at.getTime()).toBeGreaterThan(700)
      expect(b.at.getTime() - a.at.getTime()).toBeLessThan(1500)
    }
  })

  it('take fields with seconds', async () => {
    const [first] = await ticked('/dapr/cron/six', 1)
    expect(first!.at.getMilliseconds()).toBeLessThan(500)
  })

  it('go on whatever the app answers, and try nothing again', async () => {
    const times = (await ticked('/dapr/cron/failing', 3)).map(({ at }) => at.getTime())
    for (const [index, at] of times.slice(1).entries()) expect(at - times[index]!).toBeGreaterThan(700)
  })

  it('ask the app first when the direction is not said: 2xx and 405 mean yes, 404 means no', async () => {
    await ticked('/dapr/cron/wanted', 2)
    await ticked('/dapr/cron/undecided', 2)
    const methods = (name: string) => app.calls(`/dapr/cron/${name}`).map(({ method }) => method)
    expect(methods('wanted').slice(0, 2)).toEqual(['OPTIONS', 'POST'])
    expect(methods('undecided').slice(0, 2)).toEqual(['OPTIONS', 'POST'])
    expect(methods('unwanted')).toEqual(['OPTIONS'])
    expect(methods('tick')).not.toContain('OPTIONS')
  })

  it('call the path of their own name when no route is said', async () => {
    expect((await ticked('/named', 1))[0]!.method).toBe('POST')
  })

  it('fire only where they are in scope', async () => {
    await ticked('/dapr/cron/tick', 2)
    expect(app.calls('/elsewhere')).toHaveLength(0)
  })
})

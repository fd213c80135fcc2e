import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp } from '../sidecar/recording-app.ts'
import { component } from './harness/components.ts'
import { expectedHere } from './harness/expected-here.ts'
import { refusalOf } from './harness/refusal.ts'
import { eventually, startSidecar, unique, type Driver } from './harness/sidecar.ts'

let dapr: Driver
const topic = unique('tokens')
const json = { 'content-type': 'application/json' }

beforeAll(async () => {
  const app = createRecordingApp()
  app.subscriptions = [{ pubsubname: 'pubsub', topic, route: '/tokens', deadLetterTopic: `${topic}-dead` }]
  dapr = await startSidecar({
    app,
    hasState: true,
    apiToken: 'secret',
    appToken: 'for-the-app',
    resources: [
      component('tick', 'bindings.cron', { schedule: '@every 1s', direction: 'input' }),
      component('probed', 'bindings.cron', { schedule: '@every 1s' }),
      component('elsewhere', 'bindings.cron', { schedule: '@every 1s' }, { scopes: ['other-app'] }),
    ],
  })
})

const call = (path: string, init: { method?: string; body?: string } = {}) =>
  dapr.call(path, { ...init, headers: { ...json, 'dapr-api-token': 'secret' } })

describe('health', () => {
  it('is told without a token, for the sidecar and for calls of the app', async () => {
    expect((await dapr.call('/v1.0/healthz')).status).toBe(204)
    expect((await dapr.call('/v1.0/healthz/outbound')).status).toBe(204)
    expect((await dapr.call(`/v1.0/healthz?appid=${dapr.appId}`)).status).toBe(204)
  })

  it('is refused to who asks for another app', async () => {
    expect(await refusalOf(await dapr.call('/v1.0/healthz?appid=someone'))).toBe(
      '500 ERR_HEALTH_APPID_NOT_MATCH dapr app-id does not match',
    )
  })
})

interface Metadata {
  id: string
  runtimeVersion: string
  extended: Record<string, string>
  components: { name: string; type: string; version: string }[]
  subscriptions: unknown[]
}

describe('metadata', () => {
  const read = async () => (await (await call('/v1.0/metadata')).json()) as Metadata

  it('tells the app-id, the release and the components in scope', async () => {
    const { id, runtimeVersion, components } = await read()
    expect(id).toBe(dapr.appId)
    expect(runtimeVersion).toBe(expectedHere('metadata.version', '1.18.2'))
    expect(components.map(({ name, version }) => `${name} ${version}`)).toEqual(
      expect.arrayContaining(['pubsub v1', 'tick v1', 'probed v1']),
    )
    expect(components.map(({ name }) => name)).not.toContain('elsewhere')
  })

  it('tells the subscriptions', async () => {
    expect((await read()).subscriptions).toMatchObject([
      {
        pubsubname: 'pubsub',
        topic,
        rules: [{ path: '/tokens' }],
        deadLetterTopic: `${topic}-dead`,
        type: 'PROGRAMMATIC',
      },
    ])
  })

  it('keeps values of the app', async () => {
    expect((await call('/v1.0/metadata/colour', { method: 'PUT', body: 'blue' })).status).toBe(204)
    expect((await read()).extended).toMatchObject({ colour: 'blue' })
  })
})

describe('tokens', () => {
  it.each([
    ['GET', '/v1.0/metadata'],
    ['POST', '/v1.0/publish/pubsub/t'],
    ['POST', '/v1.0/publish/bulk/pubsub/t'],
    ['POST', '/v1.0/state/statestore'],
    ['GET', '/v1.0/state/statestore/x'],
    ['POST', '/v1.0/jobs/x'],
    ['GET', '/v1.0/secrets/any/x'],
    ['POST', '/v1.0/bindings/any'],
    ['GET', '/v1.0/invoke/any/method/x'],
    ['GET', '/nothing'],
  ])('are asked of %s %s', async (method, path) => {
    for (const headers of [{}, { 'dapr-api-token': 'wrong' }]) {
      const response = await dapr.call(path, { method, headers })
      expect(response.status).toBe(401)
      expect(await response.text()).toContain('invalid api token')
    }
  })

  it('are shown to the app with every call, and the token of the API never is', async () => {
    const published = await call(`/v1.0/publish/pubsub/${topic}`, { method: 'POST', body: '{}' })
    const scheduled = await call('/v1.0/jobs/tokens', { method: 'POST', body: '{"dueTime":"0s","data":{}}' })
    expect([published.status, scheduled.status]).toEqual([204, 204])
    await call(`/v1.0/invoke/${dapr.appId}/method/invoked`)
    for (const path of ['/tokens', '/job/tokens', '/invoked', '/tick', '/probed']) {
      await eventually(() => expect(dapr.app.calls(path).length).toBeGreaterThan(path === '/probed' ? 1 : 0))
      for (const { headers } of dapr.app.calls(path))
        expect(headers.get('dapr-api-token')).toBe('for-the-app')
    }
  })
})

describe('a path of no API', () => {
  it.each(['/v1.0/nothing/x', '/', '/v1.0/publish/pubsub'])(
    'answers %s with 404 and an error body',
    async (path) => {
      expect(await refusalOf(await call(path))).toBe(
        '404 ERR_DIRECT_INVOKE failed getting app id either from the URL path or the header dapr-app-id',
      )
    },
  )
})

import { beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp, type RecordingApp } from '../sidecar/recording-app.ts'
import { expectedHere } from './harness/expected-here.ts'
import { refusalOf } from './harness/refusal.ts'
import { eventually, startSidecar, unique, type Driver } from './harness/sidecar.ts'

let dapr: Driver
let callee: RecordingApp
const calleeId = unique('tasks-api')

beforeAll(async () => {
  callee = createRecordingApp()
  const retry = {
    policy: 'constant',
    duration: '50ms',
    maxRetries: 3,
    matching: { httpStatusCodes: '502,504' },
  }
  const resiliency = JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: { name: 'calls' },
    spec: { policies: { retries: { again: retry } }, targets: { apps: { [calleeId]: { retry: 'again' } } } },
  })
  dapr = await startSidecar({ hasPubsub: false, peers: { [calleeId]: callee }, resources: [resiliency] })
  // Apps announce themselves every few seconds.
  await eventually(async () => {
    const { status } = await invoke('/ready')
    if (status !== 200) throw new Error(`the callee is not known yet: ${status}`)
  })
})

const invoke = (path: string, init: RequestInit = {}, appId = calleeId) =>
  dapr.call(`/v1.0/invoke/${appId}/method${path}`, init)

describe('invoke', () => {
  it('passes method, path, query, headers and body to the app, and its answer back', async () => {
    callee.on('/api/tasks', () =>
      Response.json({ made: true }, { status: 201, headers: { location: '/api/tasks/1', etag: '"1"' } }),
    )
    const traceparent = '00-3af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const response = await invoke('/api/tasks?a=1&b=x%20y', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer x',
        'idempotency-key': 'i',
        'if-match': '"1"',
        'x-request-id': 'r',
        traceparent,
      },
      body: '{"title":"Grüße"}',
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe('/api/tasks/1')
    expect(response.headers.get('etag')).toBe('"1"')
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toEqual({ made: true })
    const [call] = callee.calls('/api/tasks')
    expect(call).toMatchObject({ method: 'POST', body: '{"title":"Grüße"}', search: '?a=1&b=x%20y' })
    const sent = Object.fromEntries(
      ['content-type', 'authorization', 'idempotency-key', 'if-match', 'x-request-id'].map((name) => [
        name,
        call!.headers.get(name),
      ]),
    )
    expect(sent).toEqual({
      'content-type': 'application/json',
      authorization: 'Bearer x',
      'idempotency-key': 'i',
      'if-match': '"1"',
      'x-request-id': 'r',
    })
    expect(call!.headers.get('traceparent')).toContain('3af7651916cd43dd8448eb211c80319c')
  })

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])('knows %s', async (method) => {
    expect((await invoke(`/verb/${method}`, { method })).status).toBe(200)
    expect(callee.calls(`/verb/${method}`)[0]!.method).toBe(method)
  })

  it.each([204, 304, 400, 404, 409, 412, 429, 500, 503])('passes the answer %i through', async (status) => {
    const body = [204, 304].includes(status) ? null : `{"status":${status}}`
    callee.on(`/status/${status}`, () => new Response(body, { status, headers: { 'x-own': 'yes' } }))
    const response = await invoke(`/status/${status}`)
    expect(response.status).toBe(status)
    expect(response.headers.get('x-own')).toBe('yes')
    expect(await response.text()).toBe(body ?? '')
    expect(callee.calls(`/status/${status}`)).toHaveLength(1)
  })

  it('says who calls whom', async () => {
    await invoke('/who')
    const { headers } = callee.calls('/who')[0]!
    expect(headers.get('dapr-caller-app-id')).toBe(dapr.appId)
    expect(headers.get('dapr-callee-app-id')).toBe(calleeId)
  })

  it('does not let the caller claim to be another', async () => {
    await invoke('/forged', { headers: { 'dapr-caller-app-id': 'forged' } })
    const said = callee.calls('/forged')[0]!.headers.get('dapr-caller-app-id')
    const names = new Set(said?.replace(dapr.appId, 'the caller').split(', '))
    expect(names).toEqual(new Set(expectedHere('invoke.forged-caller', ['the caller'])))
  })

  it('reaches its own app by its own app-id', async () => {
    expect((await invoke('/self', {}, dapr.appId)).status).toBe(200)
    expect(dapr.app.calls('/self')).toHaveLength(1)
  })

  it('decodes what is encoded in the path', async () => {
    await invoke('/a%20b/c')
    expect(callee.calls('/a%20b/c')).toHaveLength(1)
  })

  it('passes an answer of a megabyte on', async () => {
    const big = 'x'.repeat(1024 * 1024)
    callee.on('/big', () => new Response(big))
    expect(await (await invoke('/big')).text()).toBe(big)
  })

  it('answers 500 for an app that it does not know', async () => {
    expect(await refusalOf(await invoke('/x', {}, 'nobody'))).toBe(
      '500 ERR_DIRECT_INVOKE failed to invoke, id: nobody, err: no host found with the given ID',
    )
  })

  it('answers 500 when the app breaks off', async () => {
    callee.on('/broken', () => Promise.reject(new Error('down')))
    expect(await refusalOf(await invoke('/broken'))).toMatch(
      new RegExp(`^500 ERR_DIRECT_INVOKE failed to invoke, id: ${calleeId}, err: `),
    )
  })

  it('asks again for an answer that the retry policy names', async () => {
    callee.on('/flaky', (_, attempt) => new Response(null, { status: attempt < 3 ? 502 : 200 }))
    const { status } = await invoke('/flaky', { method: 'POST', body: '{}' })
    const got = { status, calls: callee.calls('/flaky').map(({ body }) => body) }
    expect(got).toEqual(expectedHere('invoke.retry-policy', { status: 200, calls: ['{}', '{}', '{}'] }))
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRecordingApp, type RecordingApp } from '../sidecar/recording-app.ts'
import { component } from './harness/components.ts'
import { refusalOf } from './harness/refusal.ts'
import { serveApp } from './harness/served-app.ts'
import { startSidecar, type Driver } from './harness/sidecar.ts'

let dapr: Driver
let outside: RecordingApp

beforeAll(async () => {
  outside = createRecordingApp()
  const served = await serveApp((request) => outside.fetch(request))
  afterAll(() => served.close())
  const url = `http://127.0.0.1:${served.port}/base/`
  const output = { direction: 'output' }
  dapr = await startSidecar({
    hasPubsub: false,
    resources: [
      component('hook', 'bindings.http', { url, ...output }),
      component('tolerant', 'bindings.http', { url, errorIfNot2XX: 'false', ...output }),
      component('hasty', 'bindings.http', { url, responseTimeout: '200ms', ...output }),
      component('elsewhere', 'bindings.http', { url, ...output }, { scopes: ['other-app'] }),
    ],
  })
})

const invoke = (name: string, request: object, headers: Record<string, string> = {}) =>
  dapr.call(`/v1.0/bindings/${name}`, { method: 'POST', headers, body: JSON.stringify(request) })

describe('the http binding', () => {
  it('sends the request and passes the answer on', async () => {
    outside.on('/base/x', () => Response.json({ ok: true }, { status: 201, headers: { 'x-answer': 'a' } }))
    const response = await invoke('hook', {
      operation: 'post',
      data: { a: 1 },
      metadata: { path: '/x', 'X-Key': 'v', ignored: 'i' },
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ ok: true })
    expect(response.headers.get('metadata.statusCode')).toBe('201')
    expect(response.headers.get('metadata.X-Answer')).toBe('a')
    const [call] = outside.calls('/base/x')
    expect(call).toMatchObject({ method: 'POST', body: '{"a":1}' })
    expect(call!.headers.get('x-key')).toBe('v')
    expect(call!.headers.get('ignored')).toBeNull()
    expect(call!.headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  it.each(['get', 'head', 'put', 'patch', 'delete'])('knows the operation %s', async (operation) => {
    const path = `/op-${operation}`
    expect((await invoke('hook', { operation, metadata: { path } })).ok).toBe(true)
    expect(outside.calls(`/base${path}`)[0]!.method).toBe(operation.toUpperCase())
  })

  it('carries the trace of its caller on', async () => {
    const trace = '2af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${trace}-b7ad6b7169203331-01`
    await invoke('hook', { operation: 'get', metadata: { path: '/traced' } }, { traceparent })
    expect(outside.calls('/base/traced')[0]!.headers.get('traceparent')).toContain(trace)
  })

  it('fails on an answer that is no success, unless told otherwise by component or request', async () => {
    outside.on('/base/busy', () => new Response('no', { status: 503 }))
    const request = { operation: 'get', metadata: { path: '/busy' } }
    const failed = await invoke('hook', request)
    expect(failed.headers.get('metadata.statusCode')).toBe('503')
    expect(await refusalOf(failed)).toBe(
      '500 ERR_INVOKE_OUTPUT_BINDING error invoking output binding hook: received status code 503',
    )
    for (const tolerated of [
      await invoke('tolerant', request),
      await invoke('hook', { ...request, metadata: { path: '/busy', errorIfNot2XX: 'false' } }),
    ]) {
      expect(tolerated.status).toBe(200)
      expect(tolerated.headers.get('metadata.statusCode')).toBe('503')
      expect(await tolerated.text()).toBe('no')
    }
  })

  it('waits no longer than its responseTimeout', async () => {
    outside.on('/base/slow', () => new Promise<Response>(() => {}))
    const refusal = await refusalOf(await invoke('hasty', { operation: 'get', metadata: { path: '/slow' } }))
    expect(refusal).toMatch(/^500 ERR_INVOKE_OUTPUT_BINDING error invoking output binding hasty: /)
  })

  const failed = (name: string, reason: string) =>
    `500 ERR_INVOKE_OUTPUT_BINDING error invoking output binding ${name}: ${reason}`
  it.each([
    [
      'an unknown binding',
      'nowhere',
      '{"operation":"create"}',
      failed('nowhere', "couldn't find output binding nowhere"),
    ],
    [
      'a binding out of scope',
      'elsewhere',
      '{"operation":"create"}',
      failed('elsewhere', "couldn't find output binding elsewhere"),
    ],
    ['no operation', 'hook', '{}', failed('hook', 'operation field is missing from request')],
    [
      'an operation it does not have',
      'hook',
      '{"operation":"list"}',
      failed(
        'hook',
        'binding hook does not support operation list. supported operations:create get head post put patch delete options trace',
      ),
    ],
    ['a body that is no JSON', 'hook', 'x', '400 ERR_MALFORMED_REQUEST failed deserializing HTTP body: '],
  ])('refuses %s', async (_, name, body, error) => {
    const refusal = await refusalOf(await dapr.call(`/v1.0/bindings/${name}`, { method: 'POST', body }))
    expect(refusal.slice(0, error.length)).toBe(error)
  })
})

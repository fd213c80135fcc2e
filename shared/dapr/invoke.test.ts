import { describe, expect, it } from 'vitest'
import { daprFailure, json, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()

describe('invoke', () => {
  it('passes method, path, query, body and the agreed headers on, and nothing else', async () => {
    const seen = answerWith(json({ id: 't1' }, { status: 201 }))
    const headers = new Headers({
      authorization: 'Bearer abc',
      'content-type': 'application/json',
      'x-request-id': 'r1',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'idempotency-key': 'k1',
      'if-match': '"3"',
      cookie: 'session=1',
      'dapr-app-id': 'other-app',
      'dapr-api-token': 'forged',
      host: 'example.org',
    })
    await dapr.invoke('tasks-api', {
      method: 'POST',
      path: '/api/tasks?dry=a%20b',
      headers,
      body: '{"title":"x"}',
    })
    expect(seen[0]).toMatchObject({
      method: 'POST',
      target: '/v1.0/invoke/tasks-api/method/api/tasks?dry=a%20b',
      text: '{"title":"x"}',
    })
    const sent = Object.fromEntries(seen[0]?.headers ?? [])
    expect(sent).toMatchObject({
      authorization: 'Bearer abc',
      'content-type': 'application/json',
      'x-request-id': 'r1',
      traceparent: headers.get('traceparent'),
      'idempotency-key': 'k1',
      'if-match': '"3"',
      'dapr-api-token': 'sidecar-token',
    })
    expect(sent).not.toHaveProperty('cookie')
    expect(sent).not.toHaveProperty('dapr-app-id')
  })

  it.each([200, 302, 404, 409, 422, 500, 503])(
    'gives the answer of the app as it is, also a %i',
    async (status) => {
      answerWith(json({ code: 'task.x' }, { status, headers: { etag: '"3"', location: '/elsewhere' } }))
      const answer = await dapr.invoke('tasks-api', { method: 'GET', path: '/api/tasks/1' })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('etag')).toBe('"3"')
      expect(JSON.parse(answer.body.toString())).toEqual({ code: 'task.x' })
    },
  )

  it.each([
    [500, 'failed to invoke, id: tasks-api, err: failed to resolve address'],
    [403, 'access control policy has denied access'],
  ])('throws when the sidecar got no answer and says %i', async (status, message) => {
    answerWith(daprFailure(status, 'ERR_DIRECT_INVOKE', message))
    await expect(dapr.invoke('tasks-api', { method: 'GET', path: '/api/tasks' })).rejects.toMatchObject({
      kind: 'refused',
      status,
      operation: 'invoke tasks-api GET',
    })
  })

  it.each([
    'api/tasks',
    '',
    '/',
    '/api/../job/x',
    '/api/..%2fjob%2fx',
    '/api/%2e%2e/job/x',
    '/api/%252e%252e/job',
    '/api\\job',
    '/..',
    '/api/.?x=1',
    '//evil.example/x',
    '/api/tasks#x',
  ])('sends nothing for the path %j', async (path) => {
    const seen = answerWith(noContent)
    await expect(dapr.invoke('tasks-api', { method: 'GET', path })).rejects.toMatchObject({ kind: 'refused' })
    expect(seen).toEqual([])
  })

  it('does not forward Basic credentials, which daprd could take for the target', async () => {
    const seen = answerWith(noContent)
    const authorization = `Basic ${btoa('dapr-app-id:auth-api')}`
    await dapr.invoke('tasks-api', {
      method: 'GET',
      path: '/api/tasks',
      headers: new Headers({ authorization }),
    })
    expect(seen[0]?.headers.get('authorization')).toBeNull()
  })

  it('takes a deadline of its own', async () => {
    answerWith(() => new Promise<Response>(() => {}))
    await expect(
      dapr.invoke('tasks-api', { method: 'GET', path: '/api/tasks', timeoutMs: 20 }),
    ).rejects.toMatchObject({ kind: 'timeout', message: expect.stringContaining('within 20 ms') })
  })
})

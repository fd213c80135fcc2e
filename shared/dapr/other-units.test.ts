import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, describe, it, onTestFinished } from 'vitest'
import type { ForwardedRequest } from '../app/web/ports.ts'
import { systemClock, systemTimer } from '../kit/system.ts'
import { createDaprClient } from './client.ts'
import { createUpstreams } from './other-units.ts'

interface Seen {
  method: string
  target: string
  headers: IncomingMessage['headers']
  body: string
}

type Script = (response: ServerResponse, request: Seen) => void

const answer =
  (status: number, text = '{}', headers: Record<string, string> = {}): Script =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)

/** What an app of ours answers. */
const ofApp = (status: number, text = '{}') => answer(status, text, { 'x-request-id': 'r1' })
const failed = (reason: string) =>
  answer(
    500,
    JSON.stringify({
      errorCode: 'ERR_DIRECT_INVOKE',
      message: `failed to invoke, id: tasks-api, err: ${reason}`,
    }),
  )

const DIED = failed('error invoking app channel: Post "http://127.0.0.1:9/api/tasks": EOF')
const REFUSED = failed('error invoking app channel: dial tcp 127.0.0.1:9: connect: connection refused')
const hangUp: Script = (response) => void response.socket?.destroy()
const silence: Script = () => {}

/** A sidecar that answers by script, the last line for ever, and the units behind it. */
async function sidecar(...script: Script[]) {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      seen.push({ method, target: url, headers, body })
      script[Math.min(seen.length, script.length) - 1]?.(response, seen.at(-1)!)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, ...unitsAt((server.address() as AddressInfo).port) }
}

function unitsAt(port: number) {
  const baseUrl = `http://127.0.0.1:${port}`
  const dapr = createDaprClient({ baseUrl, fetch: (url, init) => fetch(url, init), timeoutMs: 2000 })
  return {
    units: createUpstreams(dapr, {
      clock: systemClock,
      startTimer: systemTimer,
      patienceMs: 400,
      answerWithinMs: 1500,
    }),
  }
}

function request(method: string, change: Partial<ForwardedRequest> = {}): ForwardedRequest {
  return {
    method,
    path: '/api/tasks?limit=1',
    headers: new Headers(),
    isRepeatable: method === 'GET',
    body: method === 'GET' ? null : new TextEncoder().encode('{"title":"x"}'),
    signal: new AbortController().signal,
    ...change,
  }
}

describe('a request to another unit', () => {
  it.each([200, 201, 304, 404, 412, 500, 503])(
    'gets the answer of the unit, also a %i, at once',
    async (status) => {
      const { units, seen } = await sidecar(ofApp(status, status === 304 ? '' : '{"code":"x"}'))
      const got = await units.forward('tasks-api', request('POST'))
      expect([got.status, await got.text()]).toEqual([status, status === 304 ? '' : '{"code":"x"}'])
      expect(seen.map(({ target }) => target)).toEqual(['/v1.0/invoke/tasks-api/method/api/tasks?limit=1'])
    },
  )

  it.each([
    ['the unit died', DIED],
    ['nobody listened', REFUSED],
    ['the unit was not healthy', failed('app is not in a healthy state')],
    ['the breaker was open', failed('circuit breaker is open')],
    ['the sidecar died', hangUp],
  ])('is tried again after %s, when it may be', async (_, fault) => {
    const { units, seen } = await sidecar(fault, fault, ofApp(200))
    expect((await units.forward('tasks-api', request('POST', { isRepeatable: true }))).status).toBe(200)
    expect(seen.map(({ body }) => body)).toEqual(Array.from({ length: 3 }, () => '{"title":"x"}'))
  })

  it.each([
    ['nobody listened', REFUSED],
    ['the unit was not healthy', failed('app is not in a healthy state')],
    ['the unit was not known yet', failed('no host found with the given ID')],
  ])('is tried again after %s, also when it may happen once only', async (_, fault) => {
    const { units, seen } = await sidecar(fault, ofApp(201))
    expect((await units.forward('tasks-api', request('POST'))).status).toBe(201)
    expect(seen).toHaveLength(2)
  })

  it.each([
    ['the unit died', DIED],
    ['the sidecar died', hangUp],
    ['the sidecar made something up', answer(200, '')],
    [
      'daprd says nothing that is known',
      failed('rpc error: code = Unavailable desc = error reading from server: EOF'),
    ],
  ])('is not tried again after %s, when it may happen once only', async (_, fault) => {
    const { units, seen } = await sidecar(fault, ofApp(201))
    await expect(units.forward('tasks-api', request('POST'))).rejects.toMatchObject({
      code: 'gateway.no_answer',
      retryAfterSeconds: 1,
    })
    expect(seen).toHaveLength(1)
  })

  it('has a length when daprd may repeat it and none when it may not', async () => {
    const { units, seen } = await sidecar(ofApp(200))
    await units.forward('tasks-api', request('POST', { isRepeatable: true }))
    await units.forward('tasks-api', request('POST'))
    await units.forward('tasks-api', request('POST', { body: new Uint8Array() }))
    await units.forward('tasks-api', request('GET'))
    const lengths = seen.map(
      ({ headers }) => headers['content-length'] ?? headers['transfer-encoding'] ?? 'no body',
    )
    expect(lengths).toEqual(['13', 'chunked', 'chunked', 'no body'])
    expect(seen.map(({ body }) => body)).toEqual(['{"title":"x"}', '{"title":"x"}', ' ', ''])
  })

  it.each([401, 403, 431])('is not tried again when the sidecar itself says %i', async (status) => {
    const { units, seen } = await sidecar(answer(status, 'invalid api token\n'))
    await expect(units.forward('tasks-api', request('GET'))).rejects.toMatchObject({
      code: 'gateway.unreachable',
    })
    expect(seen).toHaveLength(1)
  })

  it('fails when nobody was there for as long as it has patience', async () => {
    const { units, seen } = await sidecar(REFUSED)
    const refusal = { code: 'gateway.unreachable', retryAfterSeconds: 1 }
    await expect(units.forward('tasks-api', request('POST'))).rejects.toMatchObject(refusal)
    expect(seen.length).toBeGreaterThan(2)
  })

  it('fails when there is no sidecar', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    await expect(unitsAt(port).units.forward('tasks-api', request('POST'))).rejects.toMatchObject({
      code: 'gateway.unreachable',
    })
  })

  it('fails when there is no answer in time, and is not sent again', async () => {
    const { units, seen } = await sidecar(silence)
    await expect(units.forward('tasks-api', request('GET'))).rejects.toMatchObject({
      code: 'gateway.timeout',
    })
    expect(seen).toHaveLength(1)
  })

  it('waits no more after five others waited in vain, until the unit is back', async () => {
    let isBack = false
    const { units, seen } = await sidecar((response, got) => (isBack ? ofApp(200) : REFUSED)(response, got))
    const ask = () => units.forward('tasks-api', request('GET'))
    const inVain = await Promise.allSettled(Array.from({ length: 5 }, ask))
    expect(inVain.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'))
    const before = seen.length
    await expect(ask()).rejects.toMatchObject({ code: 'gateway.unreachable' })
    expect(seen).toHaveLength(before + 1)
    isBack = true
    expect((await ask()).status).toBe(200)
    isBack = false
    await expect(ask()).rejects.toMatchObject({ code: 'gateway.unreachable' })
    expect(seen.length).toBeGreaterThan(before + 4)
  })

  it('ends with its client', async () => {
    const client = new AbortController()
    const { units, seen } = await sidecar((response) => {
      response.on('close', () => seen.push({ method: 'closed', target: '', headers: {}, body: '' }))
      client.abort()
    })
    await units.forward('tasks-api', request('GET', { signal: client.signal }))
    await expect.poll(() => seen.map(({ method }) => method)).toEqual(['GET', 'closed'])
  })

  it('is answered piece by piece', async () => {
    const pieces: ServerResponse[] = []
    const { units } = await sidecar((response) => {
      response
        .writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'r1' })
        .write('data: 1\n\n')
      pieces.push(response)
    })
    const got = await units.forward('tasks-api', request('GET'))
    const reader = got.body!.getReader()
    expect(Buffer.from((await reader.read()).value ?? '').toString()).toBe('data: 1\n\n')
    pieces[0]!.end('data: 2\n\n')
    expect(Buffer.from((await reader.read()).value ?? '').toString()).toBe('data: 2\n\n')
  })
})

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createDaprClient } from './client.ts'
import { installHttp } from './http.ts'

// Real sockets: what a network does is not for a mock to say.
installHttp()

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function clientOf(listener: RequestListener, timeoutMs = 5_000) {
  server = createServer(listener)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return createDaprClient({ baseUrl: `http://127.0.0.1:${port}`, fetch, timeoutMs })
}

const publish = (dapr: Awaited<ReturnType<typeof clientOf>>) =>
  dapr.publishEvent('pubsub', 'task-events', { id: 'e1' }, { partitionKey: 'u' })

describe('a call to the sidecar', () => {
  it('says `timeout` when no answer comes in time', async () => {
    const dapr = await clientOf(() => {}, 50)
    await expect(publish(dapr)).rejects.toMatchObject({
      kind: 'timeout',
      status: null,
      message: 'dapr publish task-events: timeout no complete answer within 50 ms',
    })
  })

  it('says `timeout` when the body does not end in time', async () => {
    const dapr = await clientOf((_, response) => response.write('{"a":'), 50)
    await expect(dapr.secrets.bulk('s')).rejects.toMatchObject({ kind: 'timeout' })
  })

  it('says `unreachable` and why when nobody listens', async () => {
    const dapr = await clientOf(() => {})
    await new Promise((resolve) => server?.close(resolve))
    await expect(publish(dapr)).rejects.toMatchObject({
      kind: 'unreachable',
      status: null,
      message: expect.stringMatching(/^dapr publish task-events: unreachable .*ECONNREFUSED/),
      cause: expect.any(Error),
    })
  })

  it.each([
    ['before the answer', (): void => {}],
    ['within the body', (write: () => void): void => write()],
  ])('says `unreachable` when the connection breaks %s', async (_, first) => {
    const dapr = await clientOf((request, response) => {
      first(() => response.writeHead(200, { 'content-length': '100' }).write('{"a"'))
      setImmediate(() => request.socket.destroy())
    })
    await expect(dapr.secrets.bulk('s')).rejects.toMatchObject({ kind: 'unreachable' })
  })

  it('keeps 256 characters of a long error, on one line', async () => {
    const dapr = await clientOf((_, response) =>
      response.writeHead(500).end('first\r\n\u001b[31mline\n'.repeat(100_000)),
    )
    const error: unknown = await publish(dapr).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'refused', status: 500, errorCode: undefined })
    const { message, body } = error as { message: string; body: string }
    expect(body).toHaveLength(256)
    expect(message).toMatch(/^dapr publish task-events: refused 500 first \[31mline first \P{Cc}*$/u)
    expect(message.length).toBeLessThan(320)
  })

  it.each([
    [200, 'malformed'],
    [500, 'refused'],
  ])('stops reading an endless %i answer', async (status, kind) => {
    const dapr = await clientOf((_, response) => {
      response.writeHead(status)
      const chunk = 'x'.repeat(1024 * 1024)
      const more = (): void =>
        void (response.write(chunk) ? setImmediate(more) : response.once('drain', more))
      more()
    }, 20_000)
    await expect(dapr.secrets.bulk('s')).rejects.toMatchObject({
      kind,
      status,
      message: expect.stringMatching(/beyond \d+ bytes/),
    })
  })

  it('reads an error whose headers repeat a long body', async () => {
    const failedEntries = Array.from({ length: 500 }, (_, n) => ({
      entryId: `e${n}`,
      error: 'x'.repeat(100),
    }))
    const body = JSON.stringify({ failedEntries, errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' })
    const dapr = await clientOf((_, response) =>
      response
        .writeHead(500, { 'metadata.responseData': body, 'content-type': 'application/json' })
        .end(body),
    )
    expect(await dapr.bulkPublish('pubsub', 'task-events', [])).toHaveLength(500)
  })

  it('sends a body with its length, so that the sidecar can repeat it', async () => {
    const seen: unknown[] = []
    const dapr = await clientOf((request, response) => {
      seen.push([request.headers['content-length'], request.headers['transfer-encoding']])
      response.writeHead(204).end()
    })
    await dapr.invoke('tasks-api', { method: 'POST', path: '/api/tasks', body: '{"title":"ü"}' })
    await dapr.invoke('tasks-api', { method: 'POST', path: '/api/tasks', body: Buffer.from('12345') })
    expect(seen).toEqual([
      ['14', undefined],
      ['5', undefined],
    ])
  })

  it('does not follow a redirect', async () => {
    let requests = 0
    const dapr = await clientOf((_, response) => {
      requests += 1
      response.writeHead(302, { location: '/v1.0/secrets/s/bulk' }).end()
    })
    await expect(publish(dapr)).rejects.toMatchObject({ kind: 'refused', status: 302 })
    expect(requests).toBe(1)
  })

  it('keeps to a few connections for calls in a row', async () => {
    const sockets = new Set<unknown>()
    const dapr = await clientOf((request, response) => {
      sockets.add(request.socket)
      response.writeHead(204).end()
    })
    for (let call = 0; call < 20; call += 1) await publish(dapr)
    expect(sockets.size).toBeLessThan(4)
  })

  it.each(['', '.', '..'])(
    'sends nothing when a name is %j, which would reach another route',
    async (name) => {
      let requests = 0
      const dapr = await clientOf((_, response) => {
        requests += 1
        response.writeHead(204).end()
      })
      await expect(dapr.secrets.get('secretstore', name)).rejects.toThrow(RangeError)
      expect(requests).toBe(0)
    },
  )

  it('works over a function instead of a network', async () => {
    const dapr = createDaprClient({
      baseUrl: 'http://sidecar',
      fetch: (url) => Response.json({ [new URL(url).pathname]: { a: 'b' } }),
      timeoutMs: 50,
    })
    expect(await dapr.secrets.bulk('s')).toEqual({ '/v1.0/secrets/s/bulk': { a: 'b' } })
  })
})

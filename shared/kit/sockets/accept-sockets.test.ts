import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { serve } from '../edge/serve.ts'
import type { AppFetch } from './accept-sockets.ts'

async function serving(answer: AppFetch) {
  const server = await serve(answer, { port: 0, host: '127.0.0.1' })
  onTestFinished(() => server.close(0))
  /** A client that asks for a WebSocket, and never ends its side. */
  const ask = async (target: string) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    let got = ''
    socket.setEncoding('utf8').on('data', (text: string) => (got += text))
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    return { socket, got: () => got }
  }
  return { server, ask }
}

/** An answer without end, that counts how much of it was taken. */
function endless() {
  const body = { taken: 0, isCancelled: false }
  const stream = () =>
    new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise(setImmediate)
          body.taken += 1
          controller.enqueue(Buffer.alloc(64 * 1024, 'x'))
        },
        cancel: () => void (body.isCancelled = true),
      },
      { highWaterMark: 0 },
    )
  return { body, stream }
}

it.each([
  '/api/changes/stream?ticket=/ws',
  '/api/me/export?/ws',
  '/api/snapshot#/ws',
  '/api/snapshot?a=/ws#/ws',
])('sends the answer of %s as its client takes it, which is no path of a socket', async (target) => {
  const { body, stream } = endless()
  const { ask } = await serving(() => new Response(stream()))
  const { socket, got } = await ask(target)
  await vi.waitFor(() => expect(got()).toContain('HTTP/1.1 200'))
  socket.destroy()
  await vi.waitFor(() => expect(body.isCancelled).toBe(true))
})

it('throws an answer away that is no refusal, and says that there is no socket', async () => {
  const { body, stream } = endless()
  const { ask } = await serving(() => new Response(stream()))
  const { got } = await ask('/x/ws')
  await vi.waitFor(() => expect(got()).toContain('HTTP/1.1 426'))
  expect(body).toEqual({ taken: 0, isCancelled: true })
})

it('ends the connection of who was refused, whether its client does or not', async () => {
  const { server, ask } = await serving(() => new Response('no', { status: 404 }))
  const { got } = await ask('/x/ws')
  await vi.waitFor(() => expect(got()).toContain('HTTP/1.1 404'))
  const startedAt = performance.now()
  await server.close(20_000)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
})

it('ends, when its time to close is over, what the app has not decided about, which is told', async () => {
  let signal: AbortSignal | undefined
  const { server, ask } = await serving((request) => {
    signal = request.signal
    return new Promise(() => {})
  })
  const { socket } = await ask('/x/ws')
  const ended = once(socket, 'end')
  await vi.waitFor(() => expect(signal).toBeDefined())
  await server.close(100)
  await ended
  await vi.waitFor(() => expect(signal!.aborted).toBe(true))
})

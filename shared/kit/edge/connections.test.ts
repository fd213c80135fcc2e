import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Problem } from '../problem.ts'
import { serve, type ServeOptions } from './serve.ts'

type Answer = (request: Request) => Response | Promise<Response>

/** A server whose times are short enough to wait for. */
async function serving(answer: Answer, options: Partial<ServeOptions> = {}) {
  const refused: string[] = []
  const server = await serve(
    answer,
    { port: 0, host: '127.0.0.1' },
    {
      headersWithinMs: 300,
      requestWithinMs: 600,
      stalledAfterMs: 600,
      onRefused: (reason) => void refused.push(reason),
      ...options,
    },
  )
  onTestFinished(() => server.close(0))
  return { refused, open: (from = '127.0.0.1') => openSocket(server.port, from) }
}

/** A client that writes what it is told to; what comes back is text, while it reads. */
async function openSocket(port: number, localAddress: string) {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  onTestFinished(() => void socket.destroy())
  let got = ''
  socket.setEncoding('utf8').on('data', (text: string) => (got += text))
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  const has = async (text: string) => vi.waitFor(() => expect(got).toContain(text), { timeout: 5000 })
  return { socket, closed, has, got: () => got, send: (text: string) => void socket.write(text) }
}

const hello: Answer = () => new Response('hello')
const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
const PATIENT = { headersWithinMs: 60_000, requestWithinMs: 60_000 }
const MEGABYTES = 32
const large: Answer = () => new Response(Buffer.alloc(MEGABYTES * 2 ** 20, 'x'))

/** Status and problem document of the last answer. */
function problemIn(text: string) {
  const [head = '', body = ''] = text.slice(text.lastIndexOf('HTTP/1.1')).split('\r\n\r\n')
  expect(head.toLowerCase()).toContain('content-type: application/problem+json')
  expect(head.toLowerCase()).toContain('connection: close')
  const problem = Problem.parse(JSON.parse(body))
  expect(head).toContain(`x-request-id: ${problem.request_id}`)
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${problem.status} `))
  return problem.code
}

const HTTP = 'HTTP/1.1\r\nhost: x'
it.each<[string, string, string?]>([
  ['sends no header to its end', `GET / ${HTTP}\r\nx-slow: `, 'request.timeout'],
  ['sends nothing at all', '', 'request.timeout'],
  ['sends no body to its end', `POST / ${HTTP}\r\ncontent-length: 10\r\n\r\n12345`, 'request.timeout'],
  [
    'sends more headers than there may be',
    `GET / ${HTTP}\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`,
    'request.headers_too_large',
  ],
  ['speaks no HTTP', '\x16\x03\x01 hello\r\n\r\n'],
  ['speaks HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['sends a chunk without a size', `POST / ${HTTP}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`],
  ['names no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['names two hosts', `GET / ${HTTP}\r\nhost: y\r\n\r\n`],
  ['names its host twice', 'GET / HTTP/1.1\r\nHost: x\r\nhOST: x\r\n\r\n'],
  ['names two hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n'],
  ['shows two tokens', `GET / ${HTTP}\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n`],
  [
    'has two names for what it sends',
    `POST / ${HTTP}\r\ncontent-type: application/json\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}`,
  ],
  ['gives two lengths', `POST / ${HTTP}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
  [
    'gives a length and sends chunks',
    `POST / ${HTTP}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['names a host that is none', 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n'],
  ['asks for no path', `OPTIONS * ${HTTP}\r\n\r\n`],
  [
    'expects what it cannot get',
    `POST / ${HTTP}\r\nexpect: foo\r\ncontent-length: 2\r\n\r\nok`,
    'request.expectation_failed',
  ],
])('a client that %s gets a problem document and no more', async (_, text, code = 'request.malformed') => {
  const { open, refused } = await serving(async (request) => new Response(await request.text()))
  const client = await open()
  if (text !== '') client.send(text)
  await client.closed
  expect(problemIn(client.got())).toBe(code)
  expect(refused).toEqual([code])
})

it('answers a client of HTTP/1.0, which names no host', async () => {
  const { open, refused } = await serving(hello)
  const client = await open()
  client.send('GET / HTTP/1.0\r\n\r\n')
  await client.has('hello')
  expect(refused).toEqual([])
})

it('a header a second keeps no connection for ever', async () => {
  const { open } = await serving(hello)
  const client = await open()
  client.send('GET / HTTP/1.1\r\n')
  const timer = setInterval(() => client.send('x-more: 1\r\n'), 50)
  onTestFinished(() => clearInterval(timer))
  await client.closed
  expect(problemIn(client.got())).toBe('request.timeout')
})

it('keeps what is idle between two requests, and answers the next', async () => {
  const { open, refused } = await serving(hello)
  const client = await open()
  client.send(GET)
  await client.has('hello')
  const silent = await open()
  await silent.closed // so it has been idle for longer than a request may take
  client.send(GET.replace('GET', 'HEAD'))
  await vi.waitFor(() => expect(client.got().match(/HTTP\/1.1 200/g)).toHaveLength(2))
  expect(refused).toEqual(['request.timeout'])
})

it('answers what is pipelined in its order, HEAD and OPTIONS among it', async () => {
  const { open } = await serving((request) => new Response(request.method === 'HEAD' ? null : request.method))
  const client = await open()
  client.send(`${GET}${GET.replace('GET', 'HEAD')}${GET.replace('GET', 'OPTIONS')}`)
  await client.has('OPTIONS')
  expect(client.got().match(/HTTP\/1.1 200/g)).toHaveLength(3)
  expect(client.got().indexOf('GET')).toBeLessThan(client.got().indexOf('OPTIONS'))
})

it('answers others when a client goes away in the middle of its body', async () => {
  const { open } = await serving(async (request) => new Response(await request.text()))
  const gone = await open()
  gone.send('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345')
  gone.socket.destroy()
  const other = await open()
  other.send('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nok')
  await other.has('ok')
  expect(other.got()).toMatch(/^HTTP\/1.1 200/)
})

it('drops a client that takes nothing of its answer, whatever it goes on sending', async () => {
  const { open, refused } = await serving(large)
  const client = await open()
  client.socket.pause()
  client.send(GET)
  const timer = setInterval(() => client.send('\r\n'), 50) // which is no request, and keeps the connection busy
  onTestFinished(() => clearInterval(timer))
  await vi.waitFor(() => expect(refused).toEqual(['reader.stalled']), { timeout: 10_000 })
  client.socket.resume()
  await client.closed
  expect(client.got().length).toBeLessThan(MEGABYTES * 2 ** 20)
})

it('drops a client that takes nothing of a stream, and the stream ends', async () => {
  const cancelled = Promise.withResolvers<void>()
  let pulled = 0
  const endless: Answer = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => {
          pulled += 1
          controller.enqueue(new Uint8Array(65_536))
        },
        cancel: () => cancelled.resolve(),
      }),
    )
  const { open } = await serving(endless)
  const client = await open()
  client.socket.pause()
  client.send(GET)
  await cancelled.promise
  expect(pulled).toBeLessThan(500) // as much as the system keeps for a connection, and no more
})

it('waits for a client that takes its answer slowly', async () => {
  const { open, refused } = await serving(large, { stalledAfterMs: 3000 })
  const [slow, stalled] = [await open(), await open()]
  stalled.socket.pause()
  for (const client of [slow, stalled]) client.send(GET)
  const timer = setInterval(() => takeALittle(slow.socket), 100)
  await vi.waitFor(() => expect(refused).toEqual(['reader.stalled']), { timeout: 10_000 })
  clearInterval(timer)
  slow.socket.resume()
  const isWhole = () => expect(slow.got().length).toBeGreaterThan(MEGABYTES * 2 ** 20)
  await vi.waitFor(isWhole, { timeout: 10_000 })
  expect(refused).toHaveLength(1)
})

function takeALittle(socket: Socket): void {
  socket.resume()
  setTimeout(() => socket.pause(), 2)
}

it('keeps few connections of one address, and as many as there may be of one that is exempt', async () => {
  const options = { maxPerAddress: 3, isExempt: (address: string) => address === '127.0.0.1' }
  const { open, refused } = await serving(hello, { ...options, ...PATIENT })
  const rude = await Promise.all(Array.from({ length: 3 }, () => open('127.0.0.2')))
  await (
    await open('127.0.0.2')
  ).closed
  expect(refused).toEqual(['connections.too_many_of_address'])
  for (const from of ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.3']) {
    const other = await open(from)
    other.send(GET)
    await other.has('hello')
  }
  rude[0]!.socket.destroy()
  await vi.waitFor(async () => {
    const again = await open('127.0.0.2')
    again.send(GET)
    await Promise.race([again.has('hello'), again.closed])
    expect(again.got()).toContain('hello')
  })
})

it('keeps so many connections in all, and gives up idle ones for new ones', async () => {
  const { open, refused } = await serving(hello, { max: 3, ...PATIENT })
  const idle = await Promise.all([open(), open(), open()])
  for (const client of idle) client.send(GET)
  for (const client of idle) await client.has('hello')
  await (
    await open()
  ).closed
  expect(refused).toEqual(['connections.too_many'])
  const next = await open()
  next.send(GET)
  await next.has('hello')
})

it('gives up no idle connection of our sidecar or proxy for a new one', async () => {
  const isExempt = (address: string) => address === '127.0.0.1'
  const { open, refused } = await serving(hello, { max: 2, isExempt, ...PATIENT })
  const [ours, other] = [await open(), await open('127.0.0.2')]
  for (const client of [ours, other]) {
    client.send(GET)
    await client.has('hello')
  }
  await (
    await open('127.0.0.3')
  ).closed
  await other.closed
  expect(refused).toEqual(['connections.too_many'])
  ours.send(GET)
  await vi.waitFor(() => expect(ours.got().match(/hello/g)).toHaveLength(2))
})

it.each([
  ['one after another', 1.5, [1, 1]],
  ['pipelined', 2.5, [2, 1]],
])(
  'gives up the connection with the most untaken bytes when all have too many, %s',
  async (_, most, asked) => {
    const { open, refused } = await serving(large, {
      stalledAfterMs: 3000,
      maxUnsentBytes: most * MEGABYTES * 2 ** 20,
    })
    for (const times of asked) {
      const client = await open()
      client.socket.pause()
      client.send(GET.repeat(times))
    }
    await vi.waitFor(() => expect(refused).toEqual(['reader.too_much_unsent']), { timeout: 5000 })
  },
)

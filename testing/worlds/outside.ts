import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

interface Received {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

/** What it answers; null: nothing, ever. */
interface OutsideReply {
  status: number
  headers?: Record<string, string>
  body?: string
}

/** A service of somebody else, on 127.0.0.1: it records what it gets and answers what it is told to. */
export interface OutsideService {
  url: string
  received: Received[]
  /** From now on; {@link OutsideReply} or one for each request. */
  answers(reply: OutsideReply | null | ((request: Received) => OutsideReply | null)): void
}

export async function outsideService(): Promise<OutsideService> {
  const received: Received[] = []
  let reply: (request: Received) => OutsideReply | null = () => ({ status: 200 })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const whole = { method, path, headers, body: Buffer.concat(chunks) }
      received.push(whole)
      const given = reply(whole)
      if (given) response.writeHead(given.status, given.headers).end(given.body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers: (given) => void (reply = typeof given === 'function' ? given : () => given),
  }
}

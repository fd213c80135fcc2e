import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { openEventStream } from '../../testing/worlds/event-stream.ts'
import { addresses, type Attack, type Target } from './attack.ts'
import { nameOf } from './http.ts'

interface Token {
  tokens: string[]
}

/** Ask for big answers, some for ten in a row, and take nothing. */
const stalledReaders: Attack<Token> = async (target, { tokens: [token] }) => {
  const request = `GET /api/changes?limit=1000 HTTP/1.1\r\nhost: daybook\r\nauthorization: Bearer ${token}\r\n\r\n`
  const sockets = addresses(70, 4).flatMap((from) =>
    Array.from({ length: 10 }, (_, nth) => {
      const socket = open(target, from)
      socket.write(request.repeat(nth < 3 ? 10 : 1))
      return socket
    }),
  )
  await untilOver(target, sockets)
}

const SLOW_EACH = 100

/** Headers and bodies that come a byte at a time, and connections that say nothing at all. */
const slowSockets: Attack<unknown> = async (target) => {
  const start = `POST /api/auth/login HTTP/1.1\r\nhost: daybook\r\n`
  const beginnings = [start, `${start}content-type: application/json\r\ncontent-length: 100000\r\n\r\n{`, '']
  const sockets = addresses(71, 3).flatMap((from) =>
    beginnings.flatMap((beginning) =>
      Array.from({ length: SLOW_EACH }, () => {
        const socket = open(target, from)
        if (beginning !== '') {
          socket.write(beginning)
          const drip = setInterval(() => socket.writable && socket.write('x'), 1000)
          socket.on('close', () => clearInterval(drip))
        }
        return socket.resume()
      }),
    ),
  )
  await untilOver(target, sockets)
}

const STREAMS = 200

/** One user opens streams as fast as they end, and listens to them all. */
const streams: Attack<Token> = async ({ url, signal, got }, { tokens: [token] }) => {
  const again = async () => {
    while (!signal.aborted) {
      try {
        const stream = await openEventStream(`${url}/api/notifications/stream`, {
          headers: { authorization: `Bearer ${token}` },
        })
        got('200')
        signal.addEventListener('abort', stream.close)
        if (signal.aborted) stream.close() // while it was opened
        await stream.ended
      } catch (error) {
        got(/answered (\d+)/.exec(String(error))?.[1] ?? nameOf(error))
      }
      if (!signal.aborted) await delay(500)
    }
  }
  await Promise.all(Array.from({ length: STREAMS }, again))
}

function open({ url, got, signal }: Target, localAddress: string): Socket {
  const { hostname: host, port } = new URL(url)
  const socket = connect({ host, port: Number(port), localAddress })
  got('connections')
  socket.on('error', () => {}) // its close follows
  socket.on('close', () => !signal.aborted && got('closed by the server'))
  return socket
}

async function untilOver({ signal }: Target, sockets: readonly Socket[]): Promise<void> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  for (const socket of sockets) socket.destroy()
}

export const attacksBySockets = { stalledReaders, slowSockets, streams }

import type { Socket } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/** By connection: what waits for its end. A listener for each pipelined request would be too many. */
const waitingFor = new WeakMap<Socket, Set<() => void>>()

/**
 * Until then the answer is in our memory: it has gone to the system, or its connection is closed. Nothing where the app
 * is called without a connection, as in tests.
 */
export function answerTaken(c: Context): Promise<void> | undefined {
  const { incoming, outgoing } = (c.env ?? {}) as Partial<HttpBindings>
  if (!incoming || !outgoing || outgoing.destroyed || incoming.socket.destroyed) return undefined
  const ends = endsOf(incoming.socket)
  return new Promise((resolve) => {
    const end = () => {
      ends.delete(end)
      resolve()
    }
    ends.add(end) // an answer that waits for one before it is not told that the connection is gone
    outgoing.once('close', end)
  })
}

function endsOf(socket: Socket): Set<() => void> {
  const known = waitingFor.get(socket)
  if (known) return known
  const ends = new Set<() => void>()
  waitingFor.set(socket, ends)
  socket.once('close', () => {
    for (const end of ends) end()
  })
  return ends
}

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { networkOf } from '../../domain/auth/identity-throttle.ts'
import { plainAddress } from './client-address.ts'

export interface ConnectionLimits {
  max: number
  /** Of one client, unless its address is exempt. */
  maxPerAddress: number
  /** Of what speaks for many clients: our sidecar, a proxy. */
  isExempt: (address: string) => boolean
  /** A client that takes nothing of its answer for so long is dropped. */
  stalledAfterMs: number
  /** Of answers that clients have not taken, in all; beyond, the connections with the most of them are dropped. */
  maxUnsentBytes: number
  /** Told of every connection that is not kept; `address` is null where it is not known. */
  onRefused: (reason: string, address: string | null) => void
}

/** What Node itself goes by in its time limits and when it answers what it cannot parse; neither has a public name. */
export interface SocketInternals {
  /** `writeQueueSize`: bytes of the write under way that the system has not taken. */
  _handle?: { writeQueueSize: number } | null
  _httpMessage?: ServerResponse | null
}

interface Connection {
  client: string
  /** Changes whenever the client has taken something. */
  taken: number
  stalledSince: number | null
  /** Answers under way; those of pipelined requests wait for each other, all in memory. */
  answers: Set<ServerResponse>
  /** What had been read of it when its last answer ended. */
  readBytes: number | null
}

/** Keeps connections few and moving. The answer stops looking after them. */
export function limitConnections(server: Server, limits: ConnectionLimits): () => void {
  const connections = new Map<Socket, Connection>()
  const countOf = new Map<string, number>()

  server.maxConnections = limits.max
  server.on('drop', (dropped) => {
    limits.onRefused('connections.too_many', dropped?.remoteAddress ?? null)
    closeIdle() // the next one finds room
  })
  server.on('connection', (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '')
    const client = networkOf(address)
    const count = countOf.get(client) ?? 0
    if (count >= limits.maxPerAddress && !limits.isExempt(address)) {
      limits.onRefused('connections.too_many_of_address', address)
      socket.destroy()
      return
    }
    countOf.set(client, count + 1)
    connections.set(socket, { client, taken: 0, stalledSince: null, answers: new Set(), readBytes: null })
    socket.on('close', () => {
      connections.delete(socket)
      const left = (countOf.get(client) ?? 1) - 1
      if (left > 0) countOf.set(client, left)
      else countOf.delete(client)
    })
  })

  server.on('request', ({ socket }, response) => {
    const connection = connections.get(socket)
    if (!connection) return
    connection.answers.add(response)
    response.once('close', () => {
      connection.answers.delete(response)
      connection.readBytes = socket.bytesRead
    })
  })

  /** Not those of our sidecar or proxy, which would have to open them again for the very next request. */
  function closeIdle(): void {
    for (const [socket, { answers, readBytes }] of connections) {
      const isBusy = answers.size > 0 || socket.bytesRead !== readBytes
      if (!isBusy && !limits.isExempt(plainAddress(socket.remoteAddress ?? ''))) socket.destroy()
    }
  }

  const timer = setInterval(look, limits.stalledAfterMs / 6)
  function look(): void {
    dropStalled()
    dropLargest()
  }
  function dropStalled(): void {
    const now = performance.now()
    for (const [socket, connection] of connections) {
      const before = connection.taken
      connection.taken = takenOf(socket)
      if (socket.writableLength === 0 || connection.taken !== before) connection.stalledSince = null
      else connection.stalledSince ??= now
      if (connection.stalledSince === null || now - connection.stalledSince < limits.stalledAfterMs) continue
      limits.onRefused('reader.stalled', socket.remoteAddress ?? null)
      socket.destroy()
    }
  }
  function dropLargest(): void {
    const largestFirst = [...connections]
      .map(([socket, { answers }]) => ({ socket, unsent: unsentOf(socket, answers) }))
      .toSorted((one, other) => other.unsent - one.unsent)
    let left = largestFirst.reduce((sum, { unsent }) => sum + unsent, 0)
    for (const { socket, unsent } of largestFirst) {
      if (left <= limits.maxUnsentBytes) return
      left -= unsent
      limits.onRefused('reader.too_much_unsent', socket.remoteAddress ?? null)
      socket.destroy()
    }
  }
  return () => clearInterval(timer)
}

/** Bytes that the system has taken to send, give or take a constant while nothing is taken. */
function takenOf(socket: Socket): number {
  const queued = (socket as SocketInternals)._handle?.writeQueueSize ?? 0
  return socket.bytesWritten - socket.writableLength - queued
}

function unsentOf(socket: Socket, answers: ReadonlySet<ServerResponse>): number {
  const queued = [...answers].filter((answer) => !answer.socket)
  return queued.reduce((sum, { writableLength }) => sum + writableLength, socket.writableLength)
}

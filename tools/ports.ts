import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Below the range from which the kernel takes the local ports of outgoing connections (32768 up on Linux, 49152 up on
 * macOS). A program that is killed and started again on its port would else find it taken now and then, and a client
 * that dials a dead port can end up connected to itself.
 */
const RANGE = { first: 10_240, end: 32_768 }

/**
 * `count` different ports on 127.0.0.1 that nothing listens on at this moment. To find out it listens on each itself for a
 * few milliseconds, in which a program that was promised one of them finds it taken: so ask once, before the first starts.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>()
  while (held.size < count) {
    const port = randomInt(RANGE.first, RANGE.end)
    if (held.has(port)) continue
    const server = await listen(port)
    if (server) held.set(port, server)
  }
  await Promise.all([...held.values()].map(close))
  return [...held.keys()]
}

/** The same, each for a purpose. */
export async function freePortsFor<Purpose extends string>(
  ...purposes: Purpose[]
): Promise<Record<Purpose, number>> {
  const ports = await freePorts(purposes.length)
  return Object.fromEntries(purposes.map((purpose, index) => [purpose, ports[index]])) as Record<
    Purpose,
    number
  >
}

/** The first of these ports that something on this machine already listens on. */
export async function findTakenPort(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) {
    const server = await listen(port)
    if (!server) return port
    await close(server)
  }
  return undefined
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer()
  server.listen({ port, host: '127.0.0.1', exclusive: true })
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined
    throw error
  }
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

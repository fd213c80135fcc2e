import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'
import type { AuthCall } from '../app/identity-ports.ts'
import type { Deps } from '../app/ports.ts'
import type { AppEnv } from './base-app.ts'

/** Addresses no client on the internet has: a proxy of ours, or somebody in our own network. */
const INSIDE = new BlockList()
for (const [net, prefix] of [
  ...([
    ['127.0.0.0', 8],
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const),
  ...([
    ['169.254.0.0', 16],
    ['100.64.0.0', 10],
  ] as const),
]) {
  INSIDE.addSubnet(net, prefix, 'ipv4')
}
for (const [net, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  INSIDE.addSubnet(net, prefix, 'ipv6')
}

/** When, in which trace and from where a request to the functions of identity came. */
export const authCall = (deps: Pick<Deps, 'clock'>, c: Context<AppEnv>): AuthCall => ({
  now: deps.clock.now(),
  trace: c.get('trace'),
  clientAddress: clientAddress(peerOf(c), c.req.header('x-forwarded-for')),
  userAgent: c.req.header('user-agent')?.slice(0, 300) ?? null,
})

/**
 * The client's address: the peer of the connection or, when that is inside our network, the last address of
 * X-Forwarded-For that is not. A client outside cannot choose it, because what it writes stands further left.
 */
export function clientAddress(peer: string | null, forwardedFor: string | undefined): string | null {
  if (peer === null || !isInside(peer)) return peer
  const hops = (forwardedFor ?? '').split(',').map((hop) => plain(hop.trim()))
  const outside = hops.findLast((hop) => isIP(hop) !== 0 && !isInside(hop))
  return outside ?? hops.find((hop) => isIP(hop) !== 0) ?? peer
}

const isInside = (address: string): boolean => INSIDE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** An IPv4 address is written as one, also when a socket for both families reports it (RFC 4291 §2.5.5.2). */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

/** The address at the other end of the socket, where there is one (@hono/node-server hands the request on in `env`). */
function peerOf(c: Context): string | null {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  const address = env?.incoming?.socket?.remoteAddress
  return address === undefined ? null : plain(address)
}

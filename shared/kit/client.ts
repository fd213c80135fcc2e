import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'
import type { AuthCall } from '../app/identity-ports.ts'
import type { Deps } from '../app/ports.ts'
import type { AppEnv } from './base-app.ts'
import { isFromSidecar } from './sidecar-only.ts'

/** When, in which trace and from where a request to the functions of identity came. */
export const authCall = (deps: Pick<Deps, 'clock' | 'settings'>, c: Context<AppEnv>): AuthCall => ({
  now: deps.clock.now(),
  trace: c.get('trace'),
  clientAddress: clientOf(deps, c),
  userAgent: c.req.header('user-agent')?.slice(0, 300) ?? null,
})

/**
 * What tells another unit of the client: its address alone, not the way it came. The protocol is worth only as much as
 * the proxy that names it.
 */
export function forwardedFor(deps: Pick<Deps, 'settings'>, c: Context<AppEnv>): Record<string, string> {
  const address = clientOf(deps, c)
  const peer = peerOf(c)
  const isTrusted = isFromSidecar(deps.settings, c) || (peer !== null && deps.settings.isTrustedProxy(peer))
  const protocol = isTrusted ? c.req.header('x-forwarded-proto') : undefined
  return {
    ...(address !== null && { 'x-forwarded-for': address }),
    ...(protocol !== undefined && { 'x-forwarded-proto': protocol }),
  }
}

/**
 * What comes through the sidecar comes from the gateway, which names one address; the sidecars on the way append theirs
 * (Dapr, service invocation), so it is the first.
 */
function clientOf({ settings }: Pick<Deps, 'settings'>, c: Context<AppEnv>): string | null {
  const header = c.req.header('x-forwarded-for')
  if (!isFromSidecar(settings, c)) return clientAddress(peerOf(c), header, settings.isTrustedProxy)
  const named = plain(header?.split(',')[0]?.trim() ?? '')
  return isIP(named) === 0 ? peerOf(c) : named
}

/**
 * The client's address: the peer of the connection or, when that is a proxy of ours, the address it says it saw, and so
 * on from the right of X-Forwarded-For. What a client writes itself stands further left and is never reached.
 */
export function clientAddress(
  peer: string | null,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string | null {
  if (peer === null) return null
  let seen = peer
  for (const hop of (forwardedFor ?? '').split(',').toReversed()) {
    const address = plain(hop.trim())
    if (!isTrusted(seen) || isIP(address) === 0) break
    seen = address
  }
  return seen
}

/** Whether an address is one of these; each is an address or a network in CIDR notation. */
export function proxyList(trusted: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of trusted) {
    const [net = '', prefix] = entry.split('/')
    if (prefix === undefined) list.addAddress(net, familyOf(net))
    else list.addSubnet(net, Number(prefix), familyOf(net))
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address))
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** An IPv4 address is written as one, also when a socket for both families reports it (RFC 4291 §2.5.5.2). */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

/** The address at the other end of the socket, where there is one (@hono/node-server hands the request on in `env`). */
function peerOf(c: Context): string | null {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  const address = env?.incoming?.socket?.remoteAddress
  return address === undefined ? null : plain(address)
}

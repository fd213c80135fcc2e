import { BlockList, isIP } from 'node:net'
import type { Context } from 'hono'
import type { AuthCall } from '../../app/auth/ports.ts'
import type { Client } from '../../domain/actor.ts'
import type { Deps, Settings } from '../../app/ports.ts'
import { networkOf } from '../../domain/auth/identity-throttle.ts'
import type { AppEnv } from '../base-app.ts'
import { isFromSidecar } from '../sidecar-only.ts'

/** When, in which trace and from where a request to the functions of identity came. */
export function authCall(deps: Pick<Deps, 'clock' | 'settings' | 'log'>, c: Context<AppEnv>): AuthCall {
  const { address, agent } = fromWhere(deps, c)
  return { now: deps.clock.now(), trace: c.get('trace'), clientAddress: address, userAgent: agent }
}

/** For the events of a request. */
export const fromWhere = (deps: Pick<Deps, 'settings' | 'log'>, c: Context): Client => ({
  address: clientAddressOf(deps, c),
  agent: agentText(c.req.header('user-agent')),
})

const MAX_AGENT_BYTES = 256

/** As much of a header as is kept: no controls, nor what turns the direction of text or stands for nothing. */
export function agentText(header: string | undefined): string | null {
  const plain =
    header
      ?.slice(0, 4 * MAX_AGENT_BYTES)
      .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim() ?? ''
  const bytes = Buffer.from(plain)
  if (bytes.length <= MAX_AGENT_BYTES) return plain === '' ? null : plain
  // A character that the end would cut in two is left out.
  let end = MAX_AGENT_BYTES
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

/**
 * What tells another unit of the client: its address alone, not the way it came. The protocol is worth only as much as
 * the proxy that names it.
 */
export function forwardedFor(
  deps: Pick<Deps, 'settings' | 'log'>,
  c: Context<AppEnv>,
): Record<string, string> {
  const address = clientAddressOf(deps, c)
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
export function clientAddressOf(
  { settings, log }: Pick<Deps, 'settings' | 'log'>,
  c: Context<AppEnv>,
): string | null {
  const header = c.req.header('x-forwarded-for')
  if (isFromSidecar(settings, c)) return addressIn(header?.split(',')[0] ?? '') ?? peerOf(c)
  const peer = peerOf(c)
  if (peer !== null && header !== undefined && !settings.isTrustedProxy(peer)) warnOf(peer, { settings, log })
  return clientAddress(peer, header, settings.isTrustedProxy)
}

/** Of each process. Whoever is not behind a proxy can send the header, so there is an end to it. */
const MAX_WARNINGS = 20
const warned = new WeakMap<Settings, Set<string>>()

/** Once for each network that a peer is in: behind a proxy that nobody named, all clients count as one. */
function warnOf(peer: string, { settings, log }: Pick<Deps, 'settings' | 'log'>): void {
  const known = warned.get(settings) ?? new Set()
  warned.set(settings, known)
  const network =
    isIP(peer) === 4 ? `${peer.split('.').slice(0, 3).join('.')}.0/24` : `${networkOf(peer)}::/64`
  if (known.has(network) || known.size >= MAX_WARNINGS) return
  known.add(network)
  log.warn(
    { network },
    'ignored X-Forwarded-For of a peer that TRUSTED_PROXIES does not name; if it is your proxy, name it there',
  )
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
    const address = addressIn(hop)
    if (!isTrusted(seen) || address === null) break
    seen = address
  }
  return seen
}

/** Where our sidecar is, and perhaps a proxy. */
export const THIS_MACHINE: readonly string[] = ['127.0.0.0/8', '::1']

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

/**
 * The address of a hop. Some proxies write the port, too (Azure Application Gateway: `192.0.2.1:49152`), and an IPv6
 * address with one stands in brackets (RFC 7239 §6 has them also without).
 */
function addressIn(hop: string): string | null {
  const [, bracketed, dotted] = /^\s*(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)\s*$/.exec(hop) ?? []
  const address = plainAddress(bracketed ?? dotted ?? hop.trim())
  return isIP(address) === 0 ? null : address
}

/**
 * An IPv4 address is written as one, also when a socket for both families reports it (RFC 4291 §2.5.5.2); the zone of a
 * link-local one, an interface of this machine, is left out (RFC 4007 §11).
 */
export const plainAddress = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/s, '')

/** The address at the other end of the socket, where there is one (@hono/node-server hands the request on in `env`). */
function peerOf(c: Context): string | null {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  const address = env?.incoming?.socket?.remoteAddress
  return address === undefined ? null : plainAddress(address)
}

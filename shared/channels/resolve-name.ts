import { Resolver, type LookupAddress } from 'node:dns'

/** As `dns.lookup` with `all: true`; `family` 4, 6, or 0 for both. */
export type Resolve = (
  hostname: string,
  options: { all: true; family?: number },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** These lead to this machine whatever a name server says (RFC 6761 §6.3). */
const LOCALHOST = /(^|\.)localhost\.?$/
const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

/**
 * Asks the system's name servers. `dns.lookup`, which connections use otherwise, waits in one of the four threads that files
 * and passwords need as well (Node, dns, "Implementation considerations"): names whose servers never answer would hold
 * them all. Nor does this know what only this machine knows, as names in /etc/hosts, but for `localhost`.
 */
export function nameResolver(newResolver = () => new Resolver({ timeout: 2000, tries: 2 })): Resolve {
  return (hostname, { family = 0 }, done) => {
    const families = family === 4 || family === 6 ? [family] : [4, 6]
    if (LOCALHOST.test(hostname)) {
      done(
        null,
        LOOPBACK.filter((one) => families.includes(one.family)),
      )
      return
    }
    // One that is kept goes on asking the servers of a network that this machine has left.
    const resolver = newResolver()
    const found: LookupAddress[] = []
    let failure: NodeJS.ErrnoException | null = null
    let open = families.length
    const take = (own: number) => (error: NodeJS.ErrnoException | null, addresses: string[]) => {
      if (error) failure ??= error
      else found.push(...addresses.map((address) => ({ address, family: own })))
      open -= 1
      if (open > 0) return
      done(
        found.length > 0 ? null : failure,
        found.toSorted((one, other) => one.family - other.family),
      )
    }
    if (families.includes(4)) resolver.resolve4(hostname, take(4))
    if (families.includes(6)) resolver.resolve6(hostname, take(6))
  }
}

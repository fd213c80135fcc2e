import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * IPv4 that is not the public internet (IANA IPv4 Special-Purpose Address Registry), and Azure's host service, which is
 * public by number only. Metadata services of other clouds lie in link-local, shared or protocol-assigned space.
 */
const NOT_PUBLIC_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16',
]

/** IPv6 that is public is all in here (RFC 4291 §2.5.4), so IPv4 in the guise of IPv6, ULA and link-local are not. */
const GLOBAL_V6 = networkList(['2000::/3'])
/** What is in 2000::/3 and yet not public, or leads to IPv4: protocol assignments with Teredo, documentation, 6to4. */
const NOT_PUBLIC_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']
const NOT_PUBLIC = networkList([...NOT_PUBLIC_V4, ...NOT_PUBLIC_V6])

/** Addresses and networks in CIDR notation. */
export function networkList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

export const isWithin = (list: BlockList, address: string): boolean =>
  list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

export function isPublic(address: string): boolean {
  if (isIPv4(address)) return !isWithin(NOT_PUBLIC, address)
  return isIPv6(address) && isWithin(GLOBAL_V6, address) && !isWithin(NOT_PUBLIC, address)
}

import { isIP, type LookupFunction } from 'node:net'
import { Agent, request } from 'undici'
import type { OutboundPolicy } from '../app/notifications/ports.ts'
import type { HttpOutcome } from './answered.ts'
import { isPublic, isWithin, networkList } from './forbidden-networks.ts'
import { nameResolver, type Resolve } from './resolve-name.ts'

const DEADLINE_MS = 10_000
const CONNECT_MS = 5_000
/** Of an answer; what comes after is not read. */
const MAX_BYTES = 64 * 1024
const MAX_URL_LENGTH = 2048
/** Names that no public name server answers (RFC 6761, 6762, 8375, and ICANN's `internal`). */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/

/**
 * `forbidden`: the address is not one that users may have us ask. `timeout`, `unreachable`: it may be there later, and
 * after a timeout the request may have been received. The message names neither URL nor address.
 */
export class OutboundError extends Error {
  readonly kind: 'forbidden' | 'timeout' | 'unreachable'
  constructor(kind: OutboundError['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OutboundError'
    this.kind = kind
  }
}

interface OutboundRequest {
  headers: Readonly<Record<string, string>>
  body: string | Buffer
}

export interface SafeFetch extends OutboundPolicy {
  /**
   * Sends a POST and follows no redirect. Of the answer's body comes what arrives in time, 64 KiB at most: the status
   * says what became of the request, and whoever breaks off after a 200 must not get it again. Throws
   * {@link OutboundError} when there is no status.
   */
  post(url: string, request: OutboundRequest): Promise<HttpOutcome & { body: string }>
  /** Reads what is there, by the same rules. */
  get(url: string, headers: OutboundRequest['headers']): Promise<HttpOutcome & { body: string }>
}

/**
 * Requests to URLs that users name, without letting them reach what only we can reach (server-side request forgery):
 * https to port 443 of public addresses, or anything to the networks in `allow`. The name is resolved once, here, and
 * the connection goes to the very addresses that were looked at, so a name cannot change its mind in between.
 */
export function createSafeFetch({
  allow = [],
  resolve = nameResolver(),
  deadlineMs = DEADLINE_MS,
}: {
  allow?: readonly string[]
  resolve?: Resolve
  deadlineMs?: number
}): SafeFetch {
  const allowed = networkList(allow)
  const isAllowed = (address: string) => isWithin(allowed, address)
  const isOpen = (address: string) => isAllowed(address) || isPublic(address)
  const anywhere = agentFor(resolve, isOpen)
  const onlyAllowed = agentFor(resolve, isAllowed)

  /** Where a URL may lead by its form, or why it leads nowhere. */
  function route(text: string): { url: URL; agent: Agent } | { objection: string } {
    if (text.length > MAX_URL_LENGTH) return { objection: `must have at most ${MAX_URL_LENGTH} characters` }
    const url = URL.parse(text)
    if (!url) return { objection: 'must be a URL' }
    if (url.username !== '' || url.password !== '')
      return { objection: 'must not contain a user or password' }
    const isOrdinary = url.protocol === 'https:' && url.port === ''
    if (!isOrdinary && (allow.length === 0 || !/^https?:$/.test(url.protocol))) {
      return { objection: 'must begin with https:// and name no port' }
    }
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const mayBe = isOrdinary ? isOpen : isAllowed
    // A literal address is never resolved, so it is looked at here.
    const isForbidden = isIP(host) !== 0 ? !mayBe(host) : allow.length === 0 && PRIVATE_NAME.test(host)
    if (isForbidden) return { objection: 'must lead to a public address' }
    return { url, agent: isOrdinary ? anywhere : onlyAllowed }
  }

  async function send(
    method: 'GET' | 'POST',
    text: string,
    { headers, body }: { headers: OutboundRequest['headers']; body: OutboundRequest['body'] | null },
  ): Promise<HttpOutcome & { body: string }> {
    const way = route(text)
    if ('objection' in way) throw new OutboundError('forbidden', `the address ${way.objection}`)
    const late = AbortSignal.timeout(deadlineMs)
    try {
      const answer = await request(way.url, {
        method,
        headers,
        body,
        dispatcher: way.agent,
        signal: late,
      })
      const { 'retry-after': retryAfter } = answer.headers
      return {
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
        body: await whatArrives(answer.body),
      }
    } catch (cause) {
      if (cause instanceof OutboundError) throw cause
      if (late.aborted) throw new OutboundError('timeout', 'no answer in time', { cause })
      throw new OutboundError('unreachable', 'the other side cannot be reached', { cause })
    }
  }

  return {
    objection(url) {
      const way = route(url)
      return 'objection' in way ? way.objection : null
    },
    normal(text) {
      const url = URL.parse(text)
      if (!url) return text
      url.hash = '' // stays with the client
      return url.href
    },
    post: (text, request) => send('POST', text, request),
    get: (text, headers) => send('GET', text, { headers, body: null }),
  }
}

/** Connects to no address but those that `mayBe` accepts; where a name has others as well, they are left out. */
function agentFor(resolve: Resolve, mayBe: (address: string) => boolean): Agent {
  const lookup: LookupFunction = (hostname, { all, family }, done) => {
    const families = typeof family === 'number' ? { family } : {}
    resolve(hostname, { all: true, ...families }, (error, addresses) => {
      const [first, ...rest] = error ? [] : addresses.filter(({ address }) => mayBe(address))
      if (error) done(error, '')
      else if (!first) done(new OutboundError('forbidden', 'the name leads to no public address'), '')
      else if (all) done(null, [first, ...rest])
      else done(null, first.address, first.family)
    })
  }
  return new Agent({ connect: { lookup, timeout: CONNECT_MS }, connections: 16, allowH2: false })
}

async function whatArrives(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= MAX_BYTES) break
    }
  } catch {
    // Who needs the whole body finds out by parsing it.
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString()
}

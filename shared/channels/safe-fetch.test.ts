import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { createSafeFetch } from './safe-fetch.ts'
import { outsideService } from '../../testing/worlds/outside.ts'

const LOOPBACK = ['127.0.0.1']
const ASK = { headers: {}, body: 'x' }

/** A name server whose answers are given, one list after the other; the last one stays. */
function names(...answers: string[][]) {
  const asked: string[] = []
  return {
    asked,
    resolve: ((hostname, _, done) => {
      const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? []
      asked.push(hostname)
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }) satisfies NonNullable<Parameters<typeof createSafeFetch>[0]['resolve']>,
  }
}

const FORBIDDEN: [what: string, address: string][] = [
  ['this network', '0.0.0.0'],
  ['private space of 10', '10.1.2.3'],
  ['shared space of carriers', '100.64.0.1'],
  ['the metadata service of Alibaba', '100.100.100.200'],
  ['loopback', '127.0.0.1'],
  ['loopback beyond its first address', '127.255.255.254'],
  ['link-local, the metadata service', '169.254.169.254'],
  ['the host service of Azure', '168.63.129.16'],
  ['private space of 172.16', '172.31.255.255'],
  ['protocol assignments, the metadata service of Oracle', '192.0.0.192'],
  ['documentation', '192.0.2.1'],
  ['private space of 192.168', '192.168.0.1'],
  ['benchmarks', '198.19.0.1'],
  ['multicast', '224.0.0.1'],
  ['reserved space', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['IPv6 loopback', '::1'],
  ['IPv6 unspecified', '::'],
  ['IPv4 mapped into IPv6', '::ffff:127.0.0.1'],
  ['public IPv4 mapped into IPv6', '::ffff:8.8.8.8'],
  ['IPv4 behind NAT64', '64:ff9b::7f00:1'],
  ['IPv4 behind 6to4', '2002:7f00:1::'],
  ['Teredo', '2001::1'],
  ['IPv6 documentation', '2001:db8::1'],
  ['unique local addresses', 'fc00::1'],
  ['the metadata service of Amazon over IPv6', 'fd00:ec2::254'],
  ['IPv6 link-local', 'fe80::1'],
  ['IPv6 multicast', 'ff02::1'],
]

describe('an address that only we can reach', () => {
  it.each(FORBIDDEN)('is refused when written out: %s', async (_, address) => {
    const { objection, post } = createSafeFetch({})
    const url = `https://${address.includes(':') ? `[${address}]` : address}/hook`
    expect(objection(url)).toBe('must lead to a public address')
    await expect(post(url, ASK)).rejects.toMatchObject({ kind: 'forbidden' })
  })

  it.each(FORBIDDEN)('is refused behind a name: %s', async (_, address) => {
    const { post } = createSafeFetch({ resolve: names([address]).resolve })
    await expect(post('https://hook.example.org/', ASK)).rejects.toMatchObject({ kind: 'forbidden' })
  })

  it.each([
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0x7f.1',
    '127.1',
    '１２７.0.0.1',
    '127.0.0.1.',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    'printer.local',
    'vault.internal',
    'x.home.arpa',
  ])('is refused in the disguise of %s', (host) => {
    expect(createSafeFetch({}).objection(`https://${host}/`)).toBe('must lead to a public address')
  })
})

describe('a URL', () => {
  it.each(['https://hook.example.org/x?y=1', 'https://8.8.8.8/', 'https://[2606:4700:4700::1111]/'])(
    'of the public internet has no objection: %s',
    (url) => expect(createSafeFetch({}).objection(url)).toBeNull(),
  )

  it.each([
    ['nonsense', 'must be a URL'],
    ['/hook', 'must be a URL'],
    ['http://hook.example.org/', 'must begin with https:// and name no port'],
    ['ftp://hook.example.org/', 'must begin with https:// and name no port'],
    ['file:///etc/passwd', 'must begin with https:// and name no port'],
    ['https://hook.example.org:8443/', 'must begin with https:// and name no port'],
    ['https://ada:secret@hook.example.org/', 'must not contain a user or password'],
    ['https://ada@hook.example.org/', 'must not contain a user or password'],
    [`https://hook.example.org/${'x'.repeat(2048)}`, 'must have at most 2048 characters'],
  ])('is refused for its form: %s', (url, objection) => {
    expect(createSafeFetch({}).objection(url)).toBe(objection)
  })

  it('that is not https or names a port leads only to allowed networks, also behind a name', async () => {
    const { resolve } = names(['8.8.8.8'])
    const { objection, post } = createSafeFetch({ allow: LOOPBACK, resolve })
    expect(objection('http://127.0.0.1:8080/')).toBeNull()
    expect(objection('http://8.8.8.8/')).toBe('must lead to a public address')
    expect(objection('http://127.0.0.2/')).toBe('must lead to a public address')
    expect(objection('gopher://127.0.0.1/')).toBe('must begin with https:// and name no port')
    await expect(post('http://hook.example.org/', ASK)).rejects.toMatchObject({ kind: 'forbidden' })
  })
})

describe('a request', () => {
  it('brings body and headers there and the answer back', async () => {
    const hook = await outsideService()
    hook.answers({ status: 429, headers: { 'retry-after': '7' }, body: 'later' })
    const { post } = createSafeFetch({ allow: LOOPBACK })
    const answer = await post(`${hook.url}/a?b`, { headers: { 'x-key': 'v' }, body: 'hello' })
    expect(answer).toEqual({ status: 429, retryAfter: '7', body: 'later' })
    expect(hook.received).toMatchObject([{ method: 'POST', path: '/a?b', headers: { 'x-key': 'v' } }])
    expect(hook.received[0]?.body.toString()).toBe('hello')
  })

  it('goes to the address that was looked at, though the name has another one a moment later', async () => {
    const hook = await outsideService()
    const rebinding = names(['127.0.0.1'], ['10.0.0.1'])
    const { post } = createSafeFetch({ allow: LOOPBACK, resolve: rebinding.resolve })
    const url = hook.url.replace('127.0.0.1', 'hook.example.org')
    expect(await post(url, ASK)).toMatchObject({ status: 200 })
    expect(rebinding.asked).toEqual(['hook.example.org'])
  })

  it('is refused when the name turns to a forbidden address for the next connection', async () => {
    const hook = await outsideService()
    hook.answers({ status: 200, headers: { connection: 'close' } })
    const { post } = createSafeFetch({ allow: LOOPBACK, ...names(['127.0.0.1'], ['127.0.0.2']) })
    const url = hook.url.replace('127.0.0.1', 'hook.example.org')
    await post(url, ASK)
    await expect(post(url, ASK)).rejects.toMatchObject({ kind: 'forbidden' })
    expect(hook.received).toHaveLength(1)
  })

  it('leaves out the forbidden addresses of a name that has others', async () => {
    const hook = await outsideService()
    const { post } = createSafeFetch({ allow: LOOPBACK, ...names(['10.0.0.1', '127.0.0.1']) })
    const url = hook.url.replace('127.0.0.1', 'hook.example.org')
    expect(await post(url, ASK)).toMatchObject({ status: 200 })
  })

  it('follows no redirect', async () => {
    const [hook, inside] = [await outsideService(), await outsideService()]
    hook.answers({ status: 307, headers: { location: `${inside.url}/admin` } })
    const answer = await createSafeFetch({ allow: LOOPBACK }).post(hook.url, ASK)
    expect(answer.status).toBe(307)
    expect(inside.received).toEqual([])
  })

  it('is given up when no answer comes', async () => {
    const hook = await outsideService()
    hook.answers(null)
    const { post } = createSafeFetch({ allow: LOOPBACK, deadlineMs: 100 })
    await expect(post(hook.url, ASK)).rejects.toMatchObject({ kind: 'timeout' })
  })

  it.each([
    ['does not end', (response: ServerResponse) => void response.writeHead(200).write('a')],
    [
      'breaks off',
      (response: ServerResponse) => response.writeHead(200).write('a', () => response.destroy()),
    ],
  ])('has the status of an answer that %s', async (_, answer) => {
    const server = createServer(
      (request, response) => void request.resume().on('end', () => answer(response)),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    afterAll(() => server.close().closeAllConnections())
    const { post } = createSafeFetch({ allow: LOOPBACK, deadlineMs: 200 })
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await post(url, ASK)).toEqual({ status: 200, retryAfter: undefined, body: 'a' })
  })

  it('reads no more than 64 KiB of an answer', async () => {
    const hook = await outsideService()
    hook.answers({ status: 200, body: 'x'.repeat(1024 * 1024) })
    const { body } = await createSafeFetch({ allow: LOOPBACK }).post(hook.url, ASK)
    expect(body).toHaveLength(64 * 1024)
  })

  it('says nothing of the address when nobody listens there', async () => {
    const { post } = createSafeFetch({ allow: LOOPBACK })
    const refused = post('http://127.0.0.1:1/hook/of/ada', ASK)
    await expect(refused).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'the other side cannot be reached',
    })
  })
})

import { describe, expect, it } from 'vitest'
import { readConfig } from '../../config.ts'
import { APP_TOKEN, composeDaybook } from '../../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { mountFunctions } from '../mount-functions.ts'
import { agentText, authCall, clientAddress, proxyList } from './client-address.ts'
import { serve } from './serve.ts'

const sql = await testDatabase()
const isTrusted = proxyList(['10.0.0.0/8', '127.0.0.1', '192.168.0.4', 'fd00::/8', '::1'])

describe('clientAddress', () => {
  it.each([
    ['is the peer when that is no proxy of ours', '203.0.113.9', undefined, '203.0.113.9'],
    ['does not believe other peers', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['does not believe private peers that nobody named', '172.16.0.1', '198.51.100.1', '172.16.0.1'],
    ['is what our proxy saw', '10.0.0.2', '198.51.100.1', '198.51.100.1'],
    ['passes over our own hops', '127.0.0.1', '198.51.100.1, 10.1.2.3, 192.168.0.4', '198.51.100.1'],
    ['ignores what the client wrote before', '10.0.0.2', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['ignores junk before it', '10.0.0.2', "' or 1=1, <x>, 198.51.100.1", '198.51.100.1'],
    ['ignores what stands before junk', '10.0.0.2', '1.2.3.4, unknown', '10.0.0.2'],
    ['may be an IPv6 address', 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['writes a mapped IPv4 address plainly', '::1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['may be written with a port', '10.0.0.2', '1.2.3.4:1, 198.51.100.1:5678', '198.51.100.1'],
    ['may be an IPv6 address with a port', '10.0.0.2', '[2001:db8::1]:443', '2001:db8::1'],
    ['may be an IPv6 address in brackets', '10.0.0.2', '[2001:db8::1]', '2001:db8::1'],
    [
      'passes over our own hops with ports',
      '10.0.0.2',
      '198.51.100.1:9, [fd00::2]:80, 10.0.0.3:1',
      '198.51.100.1',
    ],
    ['leaves out the zone of an address', '10.0.0.2', `fe80::1%${'x'.repeat(1000)}`, 'fe80::1'],
    ['takes no port for an address', '10.0.0.2', '198.51.100.1:x', '10.0.0.2'],
    ['is no name with a port', '10.0.0.2', 'localhost:80', '10.0.0.2'],
    ['may be inside our own network', '10.0.0.2', '192.168.1.5', '192.168.1.5'],
    ['is the peer when nobody says more', '127.0.0.1', undefined, '127.0.0.1'],
    ['is unknown without a connection', null, '198.51.100.1', null],
  ])('%s', (_, peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor, isTrusted)).toBe(expected)
  })
})

describe('TRUSTED_PROXIES', () => {
  it('names addresses and networks, none unless told', () => {
    expect(readConfig({}).trustedProxies).toEqual([])
    const env = { TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,fd00::/8 ' }
    expect(readConfig(env).trustedProxies).toEqual(['127.0.0.1', '10.0.0.0/8', 'fd00::/8'])
  })

  it.each(['everybody', '10.0.0.0/33', '10.0.0', 'fd00::/129', '10.0.0.1,,::1', '*', '0.0.0.0/0', '::/0'])(
    'does not take %j',
    (value) => {
      expect(() => readConfig({ TRUSTED_PROXIES: value })).toThrow('TRUSTED_PROXIES')
    },
  )
})

describe('agentText', () => {
  const longest = 'x'.repeat(256)
  it.each([
    ['is the header', 'curl/8.5.0', 'curl/8.5.0'],
    ['is cut', `${longest}y`, longest],
    ['is cut between characters', `${'x'.repeat(255)}é`, 'x'.repeat(255)],
    ['may end with a whole character', `${'x'.repeat(254)}é`, `${'x'.repeat(254)}é`],
    ['may be all of long characters', 'é'.repeat(1000), 'é'.repeat(128)],
    ['has no controls', 'a\u0000b\tc\r\nd\u007fe\u0085f', 'a b c d e f'],
    ['has nothing that turns or hides text', 'a\u202eb\u200bc\u2028d\ufeffe\ud800', 'a b c d e'],
    ['has no space around it', '  curl  ', 'curl'],
    ['is nothing where nothing is left', ' \u0000\u0001 ', null],
    ['is nothing where it is empty', '', null],
    ['is nothing without a header', undefined, null],
  ])('%s', (_, header, expected) => {
    expect(agentText(header)).toBe(expected)
  })
})

describe('authCall', () => {
  it('knows the peer of a real connection and the agent it names', async () => {
    const { deps } = composeDaybook(sql)
    const app = mountFunctions([], deps).get('/', (c) => c.json(authCall(deps, c)))
    const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
    const headers = { 'x-forwarded-for': '198.51.100.1', 'user-agent': `curl/8 ${'x'.repeat(1000)}` }
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, { headers })
    const seen = (await answer.json()) as { clientAddress: string; userAgent: string }
    await server.close(1000)
    expect(seen.clientAddress).toBe('127.0.0.1')
    expect(seen.userAgent).toMatch(/^curl/)
    expect(seen.userAgent).toHaveLength(256)
  })

  it.each([
    ['198.51.100.1, 10.0.0.9', APP_TOKEN, '198.51.100.1'],
    ['::ffff:198.51.100.1', APP_TOKEN, '198.51.100.1'],
    ['198.51.100.1', `${APP_TOKEN}x`, null],
    ['198.51.100.1', undefined, null],
    ['nonsense', APP_TOKEN, null],
    [undefined, APP_TOKEN, null],
  ])(
    'takes the client from the gateway (%s) by the token of the sidecar (%s): %s',
    async (given, token, address) => {
      const { deps } = composeDaybook(sql)
      const app = mountFunctions([], deps).get('/', (c) => c.json(authCall(deps, c)))
      const answer = await app.request('/', {
        headers: {
          ...(given !== undefined && { 'x-forwarded-for': given }),
          ...(token !== undefined && { 'dapr-api-token': token }),
        },
      })
      expect(await answer.json()).toMatchObject({ clientAddress: address })
    },
  )

  it('warns once of each network whose header is not believed, and no more than twenty times', async () => {
    const { deps, logged } = composeDaybook(sql, { env: { TRUSTED_PROXIES: '10.0.0.1' } })
    const app = mountFunctions([], deps).get('/', (c) => c.json(authCall(deps, c)))
    const askFrom = (peer: string, headers: Record<string, string> = { 'x-forwarded-for': '198.51.100.1' }) =>
      app.request('/', { headers }, { incoming: { socket: { remoteAddress: peer } } })
    await askFrom('10.0.0.1')
    await askFrom('192.0.2.1', {})
    await askFrom('192.0.2.1', { 'dapr-api-token': APP_TOKEN, 'x-forwarded-for': '198.51.100.1' })
    expect(logged).toEqual([])
    for (const peer of ['192.0.2.1', '192.0.2.1', '192.0.2.99', '2001:db8::1', '2001:db8::2'])
      await askFrom(peer)
    expect(logged).toMatchObject([
      {
        level: 'warn',
        fields: { network: '192.0.2.0/24' },
        message: expect.stringContaining('TRUSTED_PROXIES'),
      },
      { level: 'warn', fields: { network: '2001:db8:0:0::/64' } },
    ])
    for (let nth = 0; nth < 40; nth += 1) await askFrom(`198.51.${nth}.1`)
    expect(logged).toHaveLength(20)
  })
})

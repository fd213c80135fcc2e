import { describe, expect, it } from 'vitest'
import type { Deps } from '../app/ports.ts'
import { readConfig } from '../config.ts'
import { baseApp } from './base-app.ts'
import { authCall, clientAddress, proxyList } from './client.ts'
import { serve } from './serve.ts'
import { systemClock, systemIds } from './system.ts'

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

  it.each(['everybody', '10.0.0.0/33', '10.0.0', 'fd00::/129', '10.0.0.1,,::1', '*'])(
    'does not take %j',
    (value) => {
      expect(() => readConfig({ TRUSTED_PROXIES: value })).toThrow('TRUSTED_PROXIES')
    },
  )
})

describe('authCall', () => {
  it('knows the peer of a real connection and the agent it names', async () => {
    const deps = {
      ...{
        clock: systemClock,
        ids: systemIds,
        settings: { appToken: 'of-the-sidecar', isTrustedProxy: () => false },
      },
    } as unknown as Deps
    const app = baseApp(deps).get('/', (c) => c.json(authCall(deps, c)))
    const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
    const headers = { 'x-forwarded-for': '198.51.100.1', 'user-agent': `curl/8 ${'x'.repeat(1000)}` }
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, { headers })
    const seen = (await answer.json()) as { clientAddress: string; userAgent: string }
    await server.close(1000)
    expect(seen.clientAddress).toBe('127.0.0.1')
    expect(seen.userAgent).toMatch(/^curl/)
    expect(seen.userAgent).toHaveLength(300)
  })

  it.each([
    ['198.51.100.1, 10.0.0.9', 'of-the-sidecar', '198.51.100.1'],
    ['::ffff:198.51.100.1', 'of-the-sidecar', '198.51.100.1'],
    ['198.51.100.1', 'of-the-sidecaR', null],
    ['198.51.100.1', undefined, null],
    ['nonsense', 'of-the-sidecar', null],
    [undefined, 'of-the-sidecar', null],
  ])(
    'takes the client from the gateway (%s) by the token of the sidecar (%s): %s',
    async (given, token, address) => {
      const deps = {
        ...{ clock: systemClock, ids: systemIds },
        settings: { appToken: 'of-the-sidecar', isTrustedProxy: () => false },
      } as unknown as Deps
      const app = baseApp(deps).get('/', (c) => c.json(authCall(deps, c)))
      const answer = await app.request('/', {
        headers: {
          ...(given !== undefined && { 'x-forwarded-for': given }),
          ...(token !== undefined && { 'dapr-api-token': token }),
        },
      })
      expect(await answer.json()).toMatchObject({ clientAddress: address })
    },
  )
})

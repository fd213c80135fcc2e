import { describe, expect, it } from 'vitest'
import type { Deps } from '../app/ports.ts'
import { baseApp } from './base-app.ts'
import { authCall, clientAddress } from './client.ts'
import { serve } from './serve.ts'
import { systemClock, systemIds } from './system.ts'

describe('clientAddress', () => {
  it.each([
    ['is the peer when that is outside', '203.0.113.9', undefined, '203.0.113.9'],
    ['does not believe a peer outside about others', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['is what our proxy saw', '10.0.0.2', '198.51.100.1', '198.51.100.1'],
    ['passes over our own hops', '127.0.0.1', '198.51.100.1, 10.1.2.3, 192.168.0.4', '198.51.100.1'],
    ['ignores what the client wrote before', '10.0.0.2', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['ignores junk', '10.0.0.2', "' or 1=1, <x>, 198.51.100.1, unknown", '198.51.100.1'],
    ['may be an IPv6 address', 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['writes a mapped IPv4 address plainly', '::1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['may be inside our own network', '10.0.0.2', '192.168.1.5', '192.168.1.5'],
    ['is the peer when nobody says more', '127.0.0.1', undefined, '127.0.0.1'],
    ['is the peer when what is said is junk', '127.0.0.1', 'unknown', '127.0.0.1'],
    ['is unknown without a connection', null, '198.51.100.1', null],
  ])('%s', (_, peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor)).toBe(expected)
  })
})

describe('authCall', () => {
  it('knows the peer of a real connection and the agent it names', async () => {
    const deps = { clock: systemClock, ids: systemIds } as unknown as Deps
    const app = baseApp(deps).get('/', (c) => c.json(authCall(deps, c)))
    const server = await serve(app.fetch, { port: 0, host: '127.0.0.1' })
    const headers = { 'user-agent': `curl/8 ${'x'.repeat(1000)}` }
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, { headers })
    const seen = (await answer.json()) as { clientAddress: string; userAgent: string }
    await server.close(1000)
    expect(seen.clientAddress).toBe('127.0.0.1')
    expect(seen.userAgent).toMatch(/^curl/)
    expect(seen.userAgent).toHaveLength(300)
  })
})

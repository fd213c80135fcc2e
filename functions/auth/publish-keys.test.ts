import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { KeySet } from '../../shared/domain/auth/identity.ts'
import { createKeyRing } from '../../shared/identity/signing-keys.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import publishKeys from './publish-keys.ts'

const world = await identityWorld()
const userId = '0199d0a0-0000-7000-8000-000000000001'
const MINUTE = 60 * 1000
const HOUR = 60 * MINUTE

const published = async (from = world) => (await from.call<KeySet>(publishKeys)).body
const kids = async (from = world) => (await published(from)).keys.map(({ kid }) => kid)
/** What `npm run keys:rotate` does beside a running process. */
const rotated = ({ identity, clock }: typeof world) =>
  createKeyRing({ store: identity.store, clock }).rotate()

const tokenIn = async ({ deps }: typeof world) => (await openSession(deps, userId)).token

describe('publish-keys', () => {
  it('publishes keys with which anyone can check our tokens', async () => {
    const token = await tokenIn(world)
    const { payload } = await jwtVerify(token, createLocalJWKSet(await published()), {
      issuer: 'https://daybook.example',
      audience: 'daybook',
      currentDate: world.clock.now(),
    })
    expect(payload.sub).toBe(userId)
  })

  it('publishes the public half only, and may be cached', async () => {
    const { status, headers, body } = await world.call<KeySet>(publishKeys)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('public, max-age=300')
    expect(body.keys).not.toEqual([])
    for (const key of body.keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
      expect(Buffer.from(key.n, 'base64url')).toHaveLength(256)
    }
  })

  it('agrees on one key with every process that starts at the same moment', async () => {
    await world.sql`delete from signing_keys`
    const processes = Array.from({ length: 10 }, () => world.sibling())
    const seen = await Promise.all(processes.map((process) => kids(process)))
    expect(new Set(seen.flat()).size).toBe(1)
    expect(await world.sql`select 1 from signing_keys`).toHaveLength(1)
  })

  it('keeps its key over a restart', async () => {
    expect(await kids(world.sibling())).toEqual(await kids(world.sibling()))
  })

  it('signs with the newest key and lets the older verify until its tokens have run out', async () => {
    const one = world.sibling()
    const [old] = await kids(one)
    const token = await tokenIn(one)
    const kid = await rotated(one)
    one.clock.advance(11 * MINUTE)
    const [newest, ...others] = await kids(one)
    expect(newest).toBe(kid)
    expect(newest).not.toBe(old)
    expect(others).toEqual([old])
    expect((await one.authenticate(token)).userId).toBe(userId)
    one.clock.advance(2 * HOUR)
    expect(await kids(one)).toEqual([newest])
  })

  it('accepts at once what another process signs with a new key', async () => {
    const two = world.sibling()
    await two.prepare()
    two.clock.advance(6_000)
    await rotated(two)
    const token = await tokenIn(two.sibling())
    expect((await two.authenticate(token)).userId).toBe(userId)
  })

  it('rotates by itself after ninety days', async () => {
    const one = world.sibling()
    const [old] = await kids(one)
    one.clock.advance(91 * 24 * HOUR)
    const [newest, previous] = await kids(one)
    expect(newest).not.toBe(old)
    expect(previous).toBe(old)
  })

  it('goes on with the keys it knows while the database is away', async () => {
    const one = world.sibling()
    const before = await kids(one)
    one.clock.advance(11 * MINUTE)
    one.identity.store.signingKeys = () => Promise.reject(new Error('the database is away'))
    expect(await kids(one)).toEqual(before)
  })
})

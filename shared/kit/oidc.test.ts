import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityWorld, type IdentityWorld } from '../testing/identity-world.ts'
import { createMemoryIdentityStore } from '../testing/memory-identity-store.ts'
import { createIdentity } from './create-identity.ts'
import { importKey } from './signing-keys.ts'
import { systemIds } from './system.ts'

const { privateKey, publicKey } = await generateKeyPair('RS256')
const stranger = await generateKeyPair('RS256')

/** A small issuer on a real socket, whose answers a test can spoil. */
const answers: { configuration: object | null; keys: { keys: JWK[] } | null; asked: string[] } = {
  ...{ configuration: null, keys: null, asked: [] },
}
let server: Server
let issuer: string
let world: IdentityWorld

beforeAll(async () => {
  server = createServer((request, response) => {
    answers.asked.push(request.url ?? '')
    const isKeys = request.url === '/keys'
    const answer = isKeys ? answers.keys : answers.configuration
    if (answer === null) response.writeHead(503).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  answers.configuration = { issuer, jwks_uri: `${issuer}/keys` }
  answers.keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'theirs', alg: 'RS256', use: 'sig' }] }
  world = await identityWorld({ oidc: { issuer, audience: 'daybook-web' } })
})
afterAll(() => void server.close())

interface Claims {
  sub?: unknown
  iss?: string
  aud?: string | string[]
  exp?: number | null
  zoneinfo?: unknown
}

async function tokenOf(over: Claims = {}, sign: { key?: typeof privateKey; kid?: string } = {}) {
  const seconds = Math.floor(world.clock.now().getTime() / 1000)
  const { exp = seconds + 3600, ...claims } = over
  return new SignJWT({
    ...{ iss: issuer, aud: 'daybook-web', sub: 'person-1', ...claims },
    ...(exp !== null && { exp }),
  } as never)
    .setProtectedHeader({ alg: 'RS256', kid: sign.kid ?? 'theirs' })
    .sign(sign.key ?? privateKey)
}

const invalid = { code: 'auth.invalid_token' }
const unavailable = { code: 'service.unavailable', retryAfterSeconds: 5 }

describe('an external issuer', () => {
  it('vouches for a person, who becomes a user of ours once', async () => {
    const wakes = world.wakes()
    const first = await world.authenticate(await tokenOf({ zoneinfo: 'Asia/Tokyo' }))
    expect(first).toEqual({
      ...{ userId: first.userId, view: { type: 'user', id: first.userId } },
      ...{ timeZone: 'Asia/Tokyo', scopes: ['full'] },
    })
    const again = await world.authenticate(await tokenOf({ aud: ['other', 'daybook-web'] }))
    expect(again).toEqual(first)
    expect((await world.eventsOf(first.userId)).map(({ type }) => type)).toEqual(['auth.user.registered'])
    expect(world.wakes()).toBe(wakes + 1)
  })

  it('makes one user of a person whom many processes see first at the same moment', async () => {
    const processes = Array.from({ length: 10 }, () => world.sibling())
    const token = await tokenOf({ sub: 'crowd' })
    const actors = await Promise.all(processes.map((process) => process.authenticate(token)))
    const ids = new Set(actors.map((actor) => actor.userId))
    expect(ids.size).toBe(1)
    expect(await world.eventsOf([...ids][0] ?? '')).toHaveLength(1)
  })

  it('tells different people apart', async () => {
    const [one, two] = [await tokenOf({ sub: 'a' }), await tokenOf({ sub: 'b' })]
    expect((await world.authenticate(one)).userId).not.toBe((await world.authenticate(two)).userId)
  })

  it('is asked for its keys once, not for each token', async () => {
    const process = world.sibling()
    const before = answers.asked.length
    for (const sub of ['c', 'd', 'e']) await process.authenticate(await tokenOf({ sub }))
    expect(answers.asked.slice(before)).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  it('does not shut out our own accounts', async () => {
    const userId = systemIds.uuid()
    const token = await world.identity.tokens.issue({ userId, timeZone: 'UTC', scopes: ['full'] })
    expect((await world.authenticate(token)).userId).toBe(userId)
  })

  it('may have a clock that is a few seconds behind', async () => {
    const exp = world.clock.now().getTime() / 1000 - 4
    expect((await world.authenticate(await tokenOf({ exp }))).userId).toMatch(/-/)
  })

  const seconds = () => world.clock.now().getTime() / 1000
  it.each<[string, () => Promise<string>]>([
    ['another audience', () => tokenOf({ aud: 'other' })],
    ['our own audience instead of the configured one', () => tokenOf({ aud: 'daybook' })],
    ['another issuer', () => tokenOf({ iss: 'https://evil.example' })],
    ['a slash more in the issuer', () => tokenOf({ iss: `${issuer}/` })],
    ['the name of our own issuer', () => tokenOf({ iss: 'https://daybook.example', aud: 'daybook' })],
    ['an expiry six seconds ago', () => tokenOf({ exp: seconds() - 6 })],
    ['no expiry', () => tokenOf({ exp: null })],
    ['no subject', () => tokenOf({ sub: undefined })],
    ['an empty subject', () => tokenOf({ sub: '' })],
    ['a subject with a NUL', () => tokenOf({ sub: 'a\u0000b' })],
    ['a subject of 256 characters', () => tokenOf({ sub: 'a'.repeat(256) })],
    ['a subject that is a number', () => tokenOf({ sub: 7 })],
    ['the key of a stranger', () => tokenOf({}, { key: stranger.privateKey })],
    ['an unknown key id', () => tokenOf({}, { kid: 'unknown' })],
    [
      'a signature of ours in its name',
      async () => {
        await world.prepare()
        const [ours] = await world.identity.store.signingKeys()
        const key = await importKey({ ...ours?.privateJwk, kty: 'RSA' })
        return tokenOf({}, { key, kid: ours?.kid ?? '' })
      },
    ],
    [
      'alg none',
      async () => {
        const [, payload] = (await tokenOf()).split('.')
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
      },
    ],
  ])('is not believed with %s', async (_, token) => {
    await expect(world.authenticate(await token())).rejects.toMatchObject(invalid)
  })

  it('whose keys cannot be had is a passing trouble, not the fault of the token', async () => {
    const process = world.sibling()
    const { configuration, keys } = answers
    const token = await tokenOf({ sub: 'patient' })
    answers.configuration = null
    await expect(process.authenticate(token)).rejects.toMatchObject(unavailable)
    answers.configuration = configuration
    answers.keys = null
    await expect(process.authenticate(token)).rejects.toMatchObject(unavailable)
    answers.keys = keys
    expect((await process.authenticate(token)).userId).toMatch(/-/)
  })

  it('is not believed when its configuration speaks for somebody else', async () => {
    const process = world.sibling()
    const { configuration } = answers
    answers.configuration = { ...configuration, issuer: 'https://evil.example' }
    await expect(process.authenticate(await tokenOf())).rejects.toMatchObject(unavailable)
    answers.configuration = configuration
  })

  it('needs no discovery when the place of its keys is configured', async () => {
    const store = createMemoryIdentityStore()
    const { authenticate } = createIdentity({
      ...{ store, clock: world.clock, ids: systemIds, issuer: 'urn:ours', audience: 'daybook', fetch },
      oidc: { issuer, audience: 'daybook-web', jwksUrl: `${issuer}/keys` },
    })
    const before = answers.asked.length
    await authenticate(await tokenOf())
    expect(answers.asked.slice(before)).toEqual(['/keys'])
  })

  it('cannot have the name of our own', () => {
    const options = { store: createMemoryIdentityStore(), clock: world.clock, ids: systemIds, fetch }
    const oidc = { issuer: 'urn:ours', audience: 'daybook-web' }
    expect(() => createIdentity({ ...options, issuer: 'urn:ours', audience: 'daybook', oidc })).toThrow(
      /urn:ours/,
    )
  })
})

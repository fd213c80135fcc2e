import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld, type IdentityWorld } from '../../testing/worlds/identity-world.ts'
import { composeDaybook } from '../../testing/worlds/compose-daybook.ts'
import deleteMe from '../../functions/auth/delete-me.ts'
import streamNotifications from '../../functions/sync/stream-notifications.ts'
import { mountFunctions } from '../kit/mount-functions.ts'
import { importKey } from './signing-keys.ts'
import { systemIds } from '../kit/system.ts'

const { privateKey, publicKey } = await generateKeyPair('RS256')
const stranger = await generateKeyPair('RS256')

/** A small issuer on a real socket, whose answers a test can spoil. */
const answers: { configuration: object | null; keys: { keys: JWK[] } | null; asked: string[] } = {
  configuration: null,
  keys: null,
  asked: [],
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
  world = await identityWorld({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'daybook-web' })
})
afterAll(() => void server.close())

interface Claims {
  sub?: unknown
  iss?: string
  aud?: string | string[]
  exp?: number | null
  zoneinfo?: unknown
  email?: unknown
  email_verified?: unknown
  [claim: string]: unknown
}

async function tokenOf(
  over: Claims = {},
  sign: { key?: typeof privateKey; kid?: string; typ?: string | null } = {},
) {
  const seconds = Math.floor(world.clock.now().getTime() / 1000)
  const { exp = seconds + 3600, ...claims } = over
  return new SignJWT({
    iss: issuer,
    aud: 'daybook-web',
    sub: 'person-1',
    ...claims,
    ...(exp !== null && { exp }),
  } as never)
    .setProtectedHeader({
      alg: 'RS256',
      kid: sign.kid ?? 'theirs',
      ...(sign.typ !== null && { typ: sign.typ ?? 'at+jwt' }),
    })
    .sign(sign.key ?? privateKey)
}

const seconds = () => world.clock.now().getTime() / 1000
const invalid = { code: 'auth.invalid_token' }
const unavailable = { code: 'service.unavailable', retryAfterSeconds: 5 }

/** A live stream with this token; resolves when its client has it, to when it is over. */
async function streaming({ deps }: IdentityWorld, token: string): Promise<{ over: Promise<unknown> }> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await mountFunctions([streamNotifications], deps).request('/api/notifications/stream', {
    headers,
  })
  const reader = answer.body!.getReader()
  await reader.read()
  const over = (async () => {
    while (!(await reader.read()).done);
  })()
  return { over }
}

describe('an external issuer', () => {
  it('vouches for a person, who becomes a user of ours once', async () => {
    const wakes = world.wakes()
    const first = await world.authenticate(await tokenOf({ zoneinfo: 'Asia/Tokyo' }))
    expect(first).toEqual({
      userId: first.userId,
      view: { type: 'user', id: first.userId },
      timeZone: 'Asia/Tokyo',
      scopes: ['full'],
      exp: expect.any(Number) as number,
    })
    const again = await world.authenticate(await tokenOf({ aud: ['other', 'daybook-web'] }))
    expect(again).toEqual(first)
    expect((await world.eventsOf(first.userId)).map(({ type }) => type)).toEqual(['auth.user.registered'])
    expect(world.wakes()).toBe(wakes + 1)
  })

  it('decides by email_verified whether mail goes to the address it names, and when it goes elsewhere', async () => {
    const seen = async (over: Claims) => {
      const { userId } = await world.authenticate(await tokenOf({ sub: 'mailed', ...over }))
      const user = await world.identity.store.findUser(userId)
      return [user?.email, user?.emailConfirmedAt !== null]
    }
    expect(await seen({ email: 'ada@example.org' })).toEqual([null, false])
    expect(await seen({ email: 'ada@example.org', email_verified: 'true' })).toEqual([null, false])
    expect(await seen({ email: 'Ada@Example.org', email_verified: true })).toEqual(['ada@example.org', true])
    expect(await seen({ exp: world.clock.now().getTime() / 1000 + 60 })).toEqual(['ada@example.org', true])
    expect(await seen({ email: 'ada@new.example.org', email_verified: true })).toEqual([
      'ada@new.example.org',
      true,
    ])
    expect(await seen({ email: 'no address', email_verified: true })).toEqual([null, false])
    expect(await seen({ email: 'ada@example.org', email_verified: true })).toEqual(['ada@example.org', true])
    expect(await seen({ email: 'ada@example.org', email_verified: false })).toEqual([null, false])
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

  it('makes no account again of a token from before it was deleted, but of one from a later sign-in', async () => {
    const [now, other] = [seconds(), world.sibling()]
    const old = await tokenOf({ sub: 'leaving', iat: now })
    const timeless = await tokenOf({ sub: 'leaving' })
    const { userId } = await world.authenticate(old)
    for (const token of [old, timeless]) expect((await other.authenticate(token)).userId).toBe(userId)
    const stream = await streaming(other, old)
    expect((await world.call(deleteMe, { token: old, json: {} })).status).toBe(204)
    await stream.over
    const refusesAll = async (tokens: string[]) => {
      for (const process of [world, other, world.sibling()])
        for (const token of tokens) await expect(process.authenticate(token)).rejects.toMatchObject(invalid)
    }
    // The clock of the issuer may be five seconds ahead.
    const unsure = await tokenOf({ sub: 'leaving', iat: now + 5 })
    await refusesAll([old, timeless, unsure])
    world.clock.advance(6000)
    const later = await tokenOf({ sub: 'leaving', iat: seconds() })
    const again = await world.authenticate(later)
    expect(again.userId).not.toBe(userId)
    await refusesAll([old, timeless, unsure])
    expect(JSON.stringify(await world.sql`select * from deleted_identities`)).not.toMatch(/leaving|127/)
  })

  it('does not shut out our own accounts', async () => {
    const userId = systemIds.uuid()
    const { token } = await openSession(world.deps, userId)
    expect((await world.authenticate(token)).userId).toBe(userId)
  })

  it('may have a clock that is a few seconds behind', async () => {
    const exp = world.clock.now().getTime() / 1000 - 4
    expect((await world.authenticate(await tokenOf({ exp }))).userId).toMatch(/-/)
  })

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
    const start = world.clock.now().toISOString()
    const env = { OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'daybook-web', OIDC_JWKS_URL: `${issuer}/keys` }
    const { deps } = composeDaybook(world.sql, { start, env })
    const before = answers.asked.length
    await deps.authenticate(await tokenOf())
    expect(answers.asked.slice(before)).toEqual(['/keys'])
  })

  describe('of which tokens are given to our clients, too, that are for something else', () => {
    const AUDIENCE = { aud: 'daybook-web' }
    /** What their issuers put into tokens, beside what every token has. */
    const KEYCLOAK = { sid: 'b2', azp: 'daybook-web', session_state: 'b2' }
    const COGNITO = { origin_jti: 'c1', event_id: 'c2', auth_time: 1, 'cognito:groups': ['all'] }
    const ENTRA = { ver: '2.0', tid: 't', oid: 'o', aio: 'a', uti: 'u', rh: 'r', azp: 'client' }
    const LOGOUT = { events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, sid: 'b2' }

    const accessTokens: [string, Claims, string | null][] = [
      ['RFC 9068', { client_id: 'c', scope: 'openid tasks' }, 'at+jwt'],
      ['RFC 9068 in full', { client_id: 'c' }, 'application/AT+JWT'],
    ]
    const untypedAccessTokens: [string, Claims, string | null][] = [
      ['Keycloak', { ...KEYCLOAK, typ: 'Bearer', scope: 'openid profile' }, 'JWT'],
      ['Keycloak before 25', { ...KEYCLOAK, typ: 'Bearer', scope: 'openid', nonce: 'n' }, 'JWT'],
      ['Auth0', { azp: 'c', gty: 'password', scope: 'openid profile email' }, 'JWT'],
      ['Entra', { ...ENTRA, scp: 'Tasks.ReadWrite' }, 'JWT'],
      ['Okta', { ver: 1, cid: 'c', uid: 'u', scp: ['openid'] }, null],
      ['Cognito', { ...COGNITO, token_use: 'access', client_id: 'c', scope: 'openid' }, null],
    ]
    const otherTokens: [string, Claims, string | null][] = [
      ['an ID token of Keycloak', { ...KEYCLOAK, typ: 'ID', at_hash: 'h', nonce: 'n' }, 'JWT'],
      ['a refresh token of Keycloak', { ...KEYCLOAK, typ: 'Refresh', scope: 'openid' }, 'JWT'],
      ['an offline token of Keycloak', { ...KEYCLOAK, typ: 'Offline', scope: 'openid' }, 'JWT'],
      ['a logout token of Keycloak', { ...LOGOUT, typ: 'Logout' }, 'JWT'],
      ['a logout token', { ...LOGOUT }, 'logout+jwt'],
      ['a logout token without its type', { ...LOGOUT, scope: 'openid' }, null],
      ['a security event token', { ...LOGOUT, scope: 'openid' }, 'secevent+jwt'],
      ['an ID token of Auth0', { nonce: 'n', sid: 's', name: 'Ada' }, 'JWT'],
      ['an ID token of Auth0 without a nonce', { sid: 's', name: 'Ada' }, 'JWT'],
      ['an ID token of Entra', { ...ENTRA, azp: undefined, preferred_username: 'ada' }, 'JWT'],
      ['a token of an app at Entra', { ...ENTRA, roles: ['Tasks.Read'], idtyp: 'app' }, 'JWT'],
      ['an ID token of Cognito', { ...COGNITO, token_use: 'id', at_hash: 'h' }, null],
      ['a token of Cognito for something new', { ...COGNITO, token_use: 'refresh', scope: 'openid' }, null],
      ['an ID token of the implicit flow', { scope: 'openid', nonce: 'n' }, 'JWT'],
      ['an ID token of the hybrid flow', { scope: 'openid', c_hash: 'h' }, 'JWT'],
      ['an ID token that says its type', { scope: 'openid' }, 'id_token+jwt'],
      ['a token with an empty scope', { scope: '' }, 'JWT'],
      ['a token with no scopes', { scp: [] }, 'JWT'],
      ['a type that is no text', { typ: ['Bearer'], scope: 'openid' }, 'JWT'],
      ['a client assertion', { jti: 'j' }, 'JWT'],
      ['a token for DPoP at a client of ours', { scope: 'openid', cnf: { jkt: 'k' } }, 'dpop+jwt'],
    ]
    const process = (OIDC_TOKEN_TYPE: string) =>
      composeDaybook(world.sql, {
        start: world.clock.now().toISOString(),
        env: { OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'daybook-web', OIDC_TOKEN_TYPE },
      }).deps
    const userOf = async (type: string, claims: Claims, typ: string | null) =>
      (await process(type).authenticate(await tokenOf({ ...AUDIENCE, ...claims }, { typ }))).userId

    it.each(accessTokens)('accepts an access token of %s', async (_, claims, typ) => {
      expect(await userOf('at+jwt', claims, typ)).toMatch(/-/)
    })

    it.each(untypedAccessTokens)(
      'accepts an access token of %s where it is told to',
      async (_, claims, typ) => {
        expect(await userOf('JWT', claims, typ)).toMatch(/-/)
        await expect(userOf('at+jwt', claims, typ)).rejects.toMatchObject(invalid)
      },
    )

    it.each(otherTokens)('refuses %s', async (_, claims, typ) => {
      await expect(userOf('at+jwt', claims, typ)).rejects.toMatchObject(invalid)
      await expect(userOf('JWT', claims, typ)).rejects.toMatchObject(invalid)
    })

    it('accepts another type of access tokens alone where it is named', async () => {
      expect(await userOf('access+jwt', {}, 'access+jwt')).toMatch(/-/)
      for (const typ of ['at+jwt', 'JWT', null]) {
        await expect(userOf('access+jwt', { scope: 'openid' }, typ)).rejects.toMatchObject(invalid)
      }
      await expect(userOf('JWT', { scope: 'openid' }, 'at+jwt')).rejects.toMatchObject(invalid)
    })

    it.each([' ', 'at jwt', 'at+jwt,JWT', 'ä', 'x'.repeat(101)])(
      'is not started with the type %j',
      (type) => {
        expect(() => process(type)).toThrow(/OIDC_TOKEN_TYPE: must be a media type/)
      },
    )
  })

  it('cannot have the name of our own', () => {
    const env = { PUBLIC_URL: 'https://ours.example', OIDC_ISSUER: 'https://ours.example' }
    expect(() => composeDaybook(world.sql, { env })).toThrow(/ours\.example/)
  })
})

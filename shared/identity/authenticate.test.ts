import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { base64url, forge, maced, signedBy } from '../../testing/builders/forged-tokens.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { createIdentityStore } from '../db/auth/identity-store.ts'
import { createAuthenticator } from './authenticate.ts'
import { createKeyRing } from './signing-keys.ts'
import { systemIds } from '../kit/system.ts'
import { createTokens } from './tokens.ts'

const NOW = Date.parse('2026-11-22T10:00:00.000Z')
const SECONDS = NOW / 1000
let now = NOW
const clock = { now: () => new Date(now) }
const addressee = { issuer: 'https://daybook.example', audience: 'daybook' }
const store = createIdentityStore(await testDatabase())
const keys = createKeyRing({ store, clock })
const tokens = createTokens({ clock, ids: systemIds, keys }, addressee)
// open-sessions.test.ts has those that have ended.
const sessions = { isOpen: () => true }
const authenticate = createAuthenticator({
  ...addressee,
  clock,
  ids: systemIds,
  keys,
  store,
  sessions,
  fetch,
})

const userId = '0199d0a0-0000-7000-8000-000000000001'
const sessionId = '0199d0a0-0000-7000-8000-000000000002'
const actor = { userId, timeZone: 'Europe/Berlin', scopes: ['full'], sessionId }
const [{ kid, privateJwk } = { kid: '', privateJwk: {} }] = await keys
  .signing()
  .then(() => store.signingKeys())
const ourKey = createPrivateKey({ key: privateJwk as JsonWebKey, format: 'jwk' })
const theirs = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = createPublicKey(ourKey).export({ type: 'spki', format: 'pem' }).toString()

const header = { alg: 'RS256', typ: 'at+jwt', kid }
const claims = {
  iss: addressee.issuer,
  aud: addressee.audience,
  sub: userId,
  jti: 'one',
  scope: 'full',
  zoneinfo: 'UTC',
  sid: sessionId,
  iat: SECONDS,
  exp: SECONDS + 900,
}
const ours = signedBy(ourKey)
const without = (name: keyof typeof claims) => ({ ...claims, [name]: undefined })
const parts = (token: string) => token.split('.') as [string, string, string]

beforeAll(() => {
  now = NOW
})

describe('createAuthenticator', () => {
  it('accepts what it issues', async () => {
    expect(await authenticate(await tokens.issue(actor))).toEqual({
      ...actor,
      exp: SECONDS + 900,
      view: { type: 'user', id: userId },
    })
  })

  // Guards the table below: its tokens are refused for what is said there, not because all of them would be.
  it('accepts a token put together by hand with our key', async () => {
    expect((await authenticate(forge(header, claims, ours))).userId).toBe(userId)
  })

  const good = forge(header, claims, ours)
  const [goodHeader, goodPayload, goodSignature] = parts(good)
  const table: [string, string][] = [
    ['alg none, unsigned', forge({ ...header, alg: 'none' }, claims)],
    ['alg None, unsigned', forge({ ...header, alg: 'None' }, claims)],
    ['alg none with our signature', forge({ ...header, alg: 'none' }, claims, ours)],
    ['no alg', forge({ typ: 'at+jwt', kid }, claims, ours)],
    ['an empty header', forge({}, claims, ours)],
    ['HS256 with our public key as the secret', forge({ ...header, alg: 'HS256' }, claims, maced(pem))],
    [
      'HS256 with our modulus as the secret',
      forge({ ...header, alg: 'HS256' }, claims, maced((privateJwk as { n: string }).n)),
    ],
    ['HS256 with an empty secret', forge({ ...header, alg: 'HS256' }, claims, maced(''))],
    ['RS512 with our key', forge({ ...header, alg: 'RS512' }, claims, signedBy(ourKey, 'sha512'))],
    ['PS256', forge({ ...header, alg: 'PS256' }, claims, ours)],
    ['another key under our key id', forge(header, claims, signedBy(theirs.privateKey))],
    [
      'another key brought along as jwk',
      forge(
        { ...header, jwk: theirs.publicKey.export({ format: 'jwk' }) },
        claims,
        signedBy(theirs.privateKey),
      ),
    ],
    [
      'another key pointed at by jku',
      forge({ ...header, jku: 'http://127.0.0.1:1/jwks' }, claims, signedBy(theirs.privateKey)),
    ],
    ['an unknown key id', forge({ ...header, kid: 'other' }, claims, ours)],
    ['no key id', forge({ alg: 'RS256', typ: 'at+jwt' }, claims, ours)],
    ['a key id that is a number', forge({ ...header, kid: 1 }, claims, ours)],
    ['a key id that is a path', forge({ ...header, kid: '../../dev/null' }, claims, ours)],
    ['a key id that is SQL', forge({ ...header, kid: "' or '1'='1" }, claims, ours)],
    ['a key id that every object has', forge({ ...header, kid: '__proto__' }, claims, ours)],
    ['a critical extension', forge({ ...header, crit: ['exp2'], exp2: 1 }, claims, ours)],
    ['an unencoded payload', forge({ ...header, crit: ['b64'], b64: false }, claims, ours)],
    ['the type of an ID token', forge({ ...header, typ: 'JWT' }, claims, ours)],
    ['no type', forge({ alg: 'RS256', kid }, claims, ours)],
    ['another issuer', forge(header, { ...claims, iss: 'https://evil.example' }, ours)],
    ['no issuer', forge(header, without('iss'), ours)],
    ['another audience', forge(header, { ...claims, aud: 'other' }, ours)],
    ['no audience', forge(header, without('aud'), ours)],
    ['an expiry now', forge(header, { ...claims, exp: SECONDS }, ours)],
    ['an expiry long ago', forge(header, { ...claims, exp: 1 }, ours)],
    ['no expiry', forge(header, without('exp'), ours)],
    ['an expiry that is text', forge(header, { ...claims, exp: '9999999999' }, ours)],
    ['a beginning in the future', forge(header, { ...claims, nbf: SECONDS + 60 }, ours)],
    ['no subject', forge(header, without('sub'), ours)],
    ['a subject that is no user id', forge(header, { ...claims, sub: "x' or 1=1" }, ours)],
    ['a subject that is an object', forge(header, { ...claims, sub: { id: userId } }, ours)],
    ['no session', forge(header, without('sid'), ours)],
    ['a session that is no id', forge(header, { ...claims, sid: 'x' }, ours)],
    ['no scope', forge(header, without('scope'), ours)],
    ['claims that are a list', forge(header, [claims], ours)],
    ['claims that are null', forge(header, null, ours)],
    ['claims that are no JSON', forge(header, '{', ours)],
    ['claims nested 2,000 deep', forge(header, '['.repeat(2000), ours)],
    ['changed claims', `${goodHeader}.${base64url({ ...claims, sub: systemIds.uuid() })}.${goodSignature}`],
    ['a changed header', `${base64url({ ...header, x: 1 })}.${goodPayload}.${goodSignature}`],
    ['no signature', `${goodHeader}.${goodPayload}.`],
    ['half a signature', good.slice(0, -100)],
    ['two parts', `${goodHeader}.${goodPayload}`],
    ['five parts', `${good}.e30.e30`],
    ['a header that is no JSON', `x.${goodPayload}.${goodSignature}`],
    ['nothing', ''],
    ['dots', '..'],
    ['one word', 'garbage'],
    ['NUL', '\u0000.\u0000.\u0000'],
    ['not base64url', '%%%.%%%.%%%'],
    ['100 kB', 'a'.repeat(100_000)],
    ['a true token drawn out to 100 kB', good + '='.repeat(100_000)],
  ]
  it.each(table)('refuses %s', async (_, token) => {
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'auth.invalid_token' })
  })

  it('still accepts the true token after all of these', async () => {
    expect((await authenticate(good)).userId).toBe(userId)
  })

  it('stops believing a token it knows at the moment it expires', async () => {
    const token = await tokens.issue(actor)
    await authenticate(token)
    now = NOW + 899_999
    expect((await authenticate(token)).userId).toBe(userId)
    now = NOW + 900_000
    await expect(authenticate(token)).rejects.toMatchObject({
      code: 'auth.invalid_token',
      message: expect.stringContaining('expired'),
    })
    now = NOW
  })

  it('asks the database for keys at most every five seconds, however many forged key ids come', async () => {
    let asked = 0
    const counting = {
      ...store,
      signingKeys: () => {
        asked++
        return store.signingKeys()
      },
    }
    const guarded = createAuthenticator({
      ...addressee,
      clock,
      ids: systemIds,
      store,
      sessions,
      fetch,
      keys: createKeyRing({ store: counting, clock }),
    })
    const flood = () =>
      Promise.allSettled(
        Array.from({ length: 100 }, (_, place) =>
          guarded(forge({ ...header, kid: `k${place}` }, claims, ours)),
        ),
      )
    await flood()
    expect(asked).toBe(1)
    now += 5_000
    await flood()
    expect(asked).toBe(2)
    now = NOW
  })
})

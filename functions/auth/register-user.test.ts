import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { SignedIn } from '../../shared/domain/identity.ts'
import { identityWorld } from '../../shared/testing/identity-world.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const password = 'correct horse battery staple'
const register = (json: object) => world.call<SignedIn>(registerUser, { json })

describe('register-user', () => {
  it('makes an account and signs it in', async () => {
    const { status, headers, body } = await register({ email: 'ada@example.org', password })
    expect(status).toBe(201)
    expect(SignedIn.parse(body)).toEqual(body)
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, user: { email: 'ada@example.org' } })
    expect(headers.get('cache-control')).toBe('no-store')
    const actor = await world.authenticate(body.access_token)
    expect(actor).toEqual({
      ...{
        userId: body.user.id,
        view: { type: 'user', id: body.user.id },
        timeZone: 'UTC',
        scopes: ['full'],
      },
    })
  })

  it('issues a token of 15 minutes that names issuer, audience, user, scope and zone, and no address', async () => {
    const { body } = await register({ email: 'grace@example.org', password, time_zone: 'Asia/Tokyo' })
    const now = world.clock.now().getTime() / 1000
    expect(decodeProtectedHeader(body.access_token)).toEqual({
      ...{ alg: 'RS256', typ: 'at+jwt', kid: expect.stringMatching(/^[\w-]{43}$/) },
    })
    expect(decodeJwt(body.access_token)).toEqual({
      ...{ iss: 'https://daybook.example', aud: 'daybook', sub: body.user.id, jti: expect.any(String) },
      ...{ iat: now, exp: now + 900, scope: 'full', zoneinfo: 'Asia/Tokyo' },
    })
  })

  it('tells of the account and its session in events that hold neither address nor secret', async () => {
    const before = world.wakes()
    const { body } = await register({ email: 'edsger@example.org', password })
    const events = await world.eventsOf(body.user.id)
    expect(events.map(({ type }) => type)).toEqual(['auth.user.registered', 'auth.token.created'])
    expect(events[1]?.data).toEqual({
      ...{ actor: { type: 'user', id: body.user.id }, client_address: '203.0.113.9', user_agent: null },
      kind: 'session',
    })
    const text = JSON.stringify(events) + world.logged()
    for (const secret of ['edsger', password, body.access_token, body.refresh_token]) {
      expect(text).not.toContain(secret)
    }
    expect(world.wakes()).toBe(before + 1)
  })

  it('keeps neither password nor refresh token in the database', async () => {
    const { body } = await register({ email: 'barbara@example.org', password })
    const rows =
      await world.sql`select to_jsonb(u) as u, to_jsonb(s) as s from users u join sessions s on s.user_id = u.id`
    const text = JSON.stringify(rows)
    expect(text).toContain('barbara')
    expect(text).not.toContain(password)
    expect(text).not.toContain(body.refresh_token.slice(-64))
  })

  it('answers 409 naming the field when the address has an account, in any spelling', async () => {
    await register({ email: 'Alan@Example.org', password })
    const { status, headers, body } = await register({
      email: '  alan@EXAMPLE.ORG ',
      password: 'another password',
    })
    expect(status).toBe(409)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toMatchObject({
      ...{ code: 'auth.email_taken', errors: [{ path: 'email', message: expect.any(String) }] },
    })
  })

  it('makes one user of fifty registrations of one address', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, nth) =>
        world.call<SignedIn>(registerUser, {
          ...{ json: { email: 'crowd@example.org', password }, peer: `198.51.100.${nth}` },
        }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array<number>(49).fill(409),
    ])
    const users = await world.sql`select id from users where email = 'crowd@example.org'`
    expect(users).toHaveLength(1)
    const winner = answers.find(({ status }) => status === 201)?.body
    expect(users[0]?.id).toBe(winner?.user.id)
  })

  it.each([
    ['no address', { password }, 'email'],
    ['no password', { email: 'a@example.org' }, 'password'],
    ['an address without a domain', { email: 'a@localhost', password }, 'email'],
    ['an address with a space', { email: 'a b@example.org', password }, 'email'],
    ['two addresses', { email: 'a@example.org,b@example.org', password }, 'email'],
    ['an address with a NUL', { email: 'a\u0000@example.org', password }, 'email'],
    ['an address of 255 characters', { email: `a@${'b'.repeat(249)}.org`, password }, 'email'],
    ['65 characters before the @', { email: `${'a'.repeat(65)}@example.org`, password }, 'email'],
    ['a password of 7 characters', { email: 'a@example.org', password: '1234567' }, 'password'],
    ['a password of 4 emoji', { email: 'a@example.org', password: '😀😀😀😀' }, 'password'],
    ['a password of 1025 characters', { email: 'a@example.org', password: 'x'.repeat(1025) }, 'password'],
    ['a password with half a character', { email: 'a@example.org', password: 'abcdefgh\ud800' }, 'password'],
    ['a password that is a number', { email: 'a@example.org', password: 12345678 }, 'password'],
    ['an unknown zone', { email: 'a@example.org', password, time_zone: 'Mars/Base' }, 'time_zone'],
    ['an unknown field', { email: 'a@example.org', password, is_admin: true }, 'is_admin'],
  ])('answers 422 for %s', async (_, json, path) => {
    const { status, headers, body } = await world.call<{ code: string; errors: { path: string }[] }>(
      registerUser,
      {
        json,
      },
    )
    expect(status).toBe(422)
    expect(body).toMatchObject({ code: 'request.invalid', errors: [{ path }] })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it.each(['', '{', '[]', 'null', '"x"', '['.repeat(20_000)])('answers 4xx for the body %#', async (raw) => {
    const { status } = await world.call(registerUser, { raw })
    expect([400, 422]).toContain(status)
  })

  it('makes sixty accounts in a minute for one client, and goes on for others', async () => {
    const statusFrom = async (peer: string, nth: number) => {
      const json = { email: `batch-${nth}-${peer}@example.org`, password }
      return (await world.call<SignedIn>(registerUser, { json, peer })).status
    }
    const seen: number[] = []
    for (let nth = 0; nth < 61; nth++) seen.push(await statusFrom('192.0.2.1', nth))
    expect(seen).toEqual([...Array<number>(60).fill(201), 429])
    expect(await statusFrom('192.0.2.2', 61)).toBe(201)
    world.clock.advance(60_000)
    expect(await statusFrom('192.0.2.1', 62)).toBe(201)
  })

  it('takes passwords of exactly 8 and 1024 characters', async () => {
    expect((await register({ email: 'short@example.org', password: '12345678' })).status).toBe(201)
    expect((await register({ email: 'long@example.org', password: 'x'.repeat(1024) })).status).toBe(201)
  })
})

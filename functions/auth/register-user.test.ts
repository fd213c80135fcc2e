import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../shared/app/auth/refresh-tokens.ts'
import { SignedIn } from '../../shared/domain/auth/identity.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import askConfirmation from './ask-confirmation.ts'
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
      userId: body.user.id,
      view: { type: 'user', id: body.user.id },
      timeZone: 'UTC',
      scopes: ['full'],
      sessionId: expect.any(String) as string,
      exp: world.clock.now().getTime() / 1000 + 900,
    })
  })

  it('issues a token of 15 minutes that names issuer, audience, user, scope and zone, and no address', async () => {
    const { body } = await register({ email: 'grace@example.org', password, time_zone: 'Asia/Tokyo' })
    const now = world.clock.now().getTime() / 1000
    expect(decodeProtectedHeader(body.access_token)).toEqual({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(decodeJwt(body.access_token)).toEqual({
      iss: 'https://daybook.example',
      aud: 'daybook',
      sub: body.user.id,
      jti: expect.any(String),
      iat: now,
      exp: now + 900,
      scope: 'full',
      zoneinfo: 'Asia/Tokyo',
      sid: expect.any(String),
    })
  })

  it('tells of the account and its session in events that hold neither address nor secret', async () => {
    const before = world.wakes()
    const { body } = await register({ email: 'edsger@example.org', password })
    const events = await world.eventsOf(body.user.id)
    expect(events.map(({ type }) => type)).toEqual(['auth.user.registered', 'auth.token.created'])
    expect(events[1]?.data).toEqual({
      actor: { type: 'user', id: body.user.id, client_ip: '203.0.113.9' },
      kind: 'session',
    })
    const text = JSON.stringify(events) + JSON.stringify(world.logged)
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
      code: 'auth.email_taken',
      errors: [{ path: 'email', message: expect.any(String) }],
    })
  })

  it('makes one user of fifty registrations of one address', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, nth) =>
        world.call<SignedIn>(registerUser, {
          json: { email: 'crowd@example.org', password },
          peer: `198.51.100.${nth}`,
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
    expect([400, 413, 422]).toContain(status)
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

  it.each([
    ['in the list, with capitals', { email: 'a@example.org', password: 'TrustNo1' }, 'are used most'],
    ['in the list, of digits', { email: 'a@example.org', password: '123456789' }, 'are used most'],
    ['the address', { email: 'ada@example.org', password: 'Ada@Example.org' }, 'mail address'],
    ['its local part', { email: 'ada.lovelace@example.org', password: 'ADA.LOVELACE' }, 'mail address'],
  ])('refuses a password that is %s', async (_, json, reason) => {
    const { status, body } = await register(json)
    expect([status, body]).toMatchObject([
      422,
      { errors: [{ path: 'password', message: expect.stringContaining(reason) }] },
    ])
  })

  it('takes passwords of exactly 8 and 1024 characters', async () => {
    expect((await register({ email: 'short@example.org', password: '8 wörter' })).status).toBe(201)
    expect((await register({ email: 'long@example.org', password: 'x'.repeat(1024) })).status).toBe(201)
  })

  const asked = async (userId: string) => world.sql`
    select n.type, channel, state, n.seq from deliveries d
    join notifications n on n.id = d.notification_id where d.user_id = ${userId}`
  const registerFrom = async (peer: string, email: string) =>
    (await world.call<SignedIn>(registerUser, { json: { email, password }, peer })).body.user.id

  it('sends one mail that asks to confirm the address, whoever registers it how often', async () => {
    const id = await registerFrom('192.0.2.77', 'asked-once@example.org')
    await register({ email: 'asked-once@example.org', password })
    expect(await asked(id)).toEqual([
      { type: 'confirmation', channel: 'email', state: 'triggered', seq: null },
    ])
  })

  it('sends twenty such mails in an hour for one client, and makes accounts without one', async () => {
    const ids: string[] = []
    for (let nth = 0; nth < 22; nth += 1)
      ids.push(await registerFrom('192.0.2.78', `bombed+${nth}@example.org`))
    const mails = (await Promise.all(ids.map(asked))).map((rows) => rows.length)
    expect(mails).toEqual([...Array<number>(20).fill(1), 0, 0])
    const { token } = await openSession(world.deps, ids[21]!)
    const refused = await world.call<{ code: string }>(askConfirmation, { token, peer: '192.0.2.78' })
    expect([refused.status, refused.body.code]).toEqual([429, 'auth.rate_limited'])
    expect((await world.call(askConfirmation, { token, peer: '192.0.2.79' })).status).toBe(204)
    expect(await asked(ids[21]!)).toHaveLength(1)
  })
})

describe('registration', () => {
  const as = (registration: 'open' | 'invite' | 'closed') =>
    Object.assign(world.deps.settings, { registration })
  afterEach(() => as('open'))
  const invite = async (code: string, email: string | null = null) => {
    const now = world.clock.now()
    const expiresAt = new Date(now.getTime() + 1000)
    await world.identity.store.addInvitation({ digest: digestOf(code), email, createdAt: now, expiresAt })
  }
  const problem = (json: object) => world.call<{ code: string }>(registerUser, { json })

  it('that is closed takes nobody, and tells nothing of addresses', async () => {
    await register({ email: 'here@example.org', password })
    as('closed')
    for (const email of ['here@example.org', 'new@example.org']) {
      const { status, body } = await problem({ email, password })
      expect([status, body.code]).toEqual([403, 'auth.registration_closed'])
    }
    const [count] = await world.sql`select count(*)::int as users from users where email = 'new@example.org'`
    expect(count).toEqual({ users: 0 })
  })

  it('by invitation takes each code once, also of many at once', async () => {
    as('invite')
    await invite('dbi_one')
    const people = Array.from({ length: 5 }, (_, nth) => ({ email: `guest-${nth}@example.org`, password }))
    const answers = await Promise.all(people.map((person) => problem({ ...person, invitation: 'dbi_one' })))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403, 403, 403])
    expect(answers.find(({ status }) => status === 403)?.body.code).toBe('auth.invitation_required')
  })

  it('by invitation takes no other code, none that is over or for somebody else, and tells nothing of addresses', async () => {
    await register({ email: 'member@example.org', password })
    as('invite')
    await invite('dbi_over')
    world.clock.advance(1000)
    await invite('dbi_bound', 'ada.l@example.org')
    for (const invitation of [undefined, '', 'dbi_none', 'dbi_over', 'dbi_bound']) {
      for (const email of ['member@example.org', 'other@example.org']) {
        const { status, body } = await problem({ email, password, invitation })
        expect([status, body]).toMatchObject([
          403,
          { code: 'auth.invitation_required', errors: [{ path: 'invitation' }] },
        ])
      }
    }
    expect((await problem({ email: 'Ada.L@example.org', password, invitation: 'dbi_bound' })).status).toBe(
      201,
    )
  })

  it('keeps a code that was used for an address that is taken', async () => {
    as('invite')
    await invite('dbi_kept')
    await invite('dbi_other')
    expect((await problem({ email: 'first@example.org', password, invitation: 'dbi_other' })).status).toBe(
      201,
    )
    expect((await problem({ email: 'first@example.org', password, invitation: 'dbi_kept' })).status).toBe(409)
    expect((await problem({ email: 'second@example.org', password, invitation: 'dbi_kept' })).status).toBe(
      201,
    )
  })
})

import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { MINUTE_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { digestOf } from '../../shared/app/auth/refresh-tokens.ts'
import { identityWorld, type CallOptions } from '../../testing/worlds/identity-world.ts'
import logIn from './log-in.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'
import resetPassword from './reset-password.ts'
import setPreferences from '../notifications/set-preferences.ts'

const world = await identityWorld()
const OLD = 'correct horse battery staple'
const NEW = 'another horse battery staple'

async function registered() {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: OLD } })
  return { email, id: body.user.id, refresh: body.refresh_token }
}
const reset = (token: string, new_password = NEW, options: CallOptions = {}) =>
  world.call<{ code: string; errors?: { path: string }[] } | null>(resetPassword, {
    json: { token, new_password },
    ...options,
  })
const signIn = async (email: string, password: string) =>
  (await world.call(logIn, { json: { email, password } })).status
const refresh = async (refresh_token: string) =>
  (await world.call(refreshSession, { json: { refresh_token } })).status
const gone = { status: 410, body: { code: 'auth.invalid_link' } }

describe('reset-password', () => {
  it('sets the password, ends all sessions and confirms the address', async () => {
    const user = await registered()
    expect((await reset(await world.resetLink(user))).status).toBe(204)
    expect([await signIn(user.email, OLD), await signIn(user.email, NEW)]).toEqual([401, 200])
    expect(await refresh(user.refresh)).toBe(401)
    expect((await world.identity.store.findUser(user.id))?.emailConfirmedAt).toEqual(world.clock.now())
    expect((await world.eventsOf(user.id)).slice(2, 4)).toMatchObject([
      { type: 'auth.password.reset', data: { actor: { type: 'user', id: user.id } } },
      { type: 'auth.token.revoked', data: { reason: 'password_reset' } },
    ])
  })

  it('works once; the same again changes nothing, anything else is refused', async () => {
    const user = await registered()
    const [link, other] = [await world.resetLink(user), await world.resetLink(user)]
    const all = await Promise.all(Array.from({ length: 5 }, () => reset(link)))
    expect(all.map(({ status }) => status)).toEqual(Array<number>(5).fill(204))
    const { body } = await world.call<SignedIn>(logIn, { json: { email: user.email, password: NEW } })
    expect((await reset(link)).status).toBe(204)
    expect(await refresh(body.refresh_token)).toBe(200)
    for (const token of [link, other]) expect(await reset(token, 'a third horse battery')).toMatchObject(gone)
    expect(await signIn(user.email, NEW)).toBe(200)
    const types = (await world.eventsOf(user.id)).map(({ type }) => type)
    expect(types.filter((type) => type === 'auth.password.reset')).toHaveLength(1)
  })

  it('brings no link any more that a mail was asked for before', async () => {
    const user = await registered()
    const asked = { userId: user.id, address: user.email, askedAt: world.clock.now() }
    expect((await reset(await world.resetLink(user))).status).toBe(204)
    expect(await world.identity.links.passwordReset(asked)).toBeNull()
  })

  it('brings no link that a mail was asked for while the new password was hashed, in which time its own may expire', async () => {
    const user = await registered()
    const [link, asked] = [await world.resetLink(user), { userId: user.id, address: user.email }]
    let askedAt = world.clock.now()
    world.whileHashing(() => {
      world.clock.advance(30 * MINUTE_MS)
      askedAt = world.clock.now()
    })
    expect((await reset(link)).status).toBe(204)
    expect(await world.identity.links.passwordReset({ ...asked, askedAt })).toBeNull()
  })

  it('lets nobody guess the password with a link that was used more often than by signing in', async () => {
    const user = await registered()
    const link = await world.resetLink(user)
    await reset(link)
    const from = { peer: '198.51.100.7' }
    const statuses: number[] = []
    for (let nth = 0; nth < 11; nth += 1) statuses.push((await reset(link, 'a wrong guess', from)).status)
    expect(statuses).toEqual([...Array<number>(10).fill(410), 429])
    const json = { email: user.email, password: NEW }
    expect((await world.call(logIn, { json, ...from })).status).toBe(429)
    const types = (await world.eventsOf(user.id)).map(({ type }) => type)
    expect(types.filter((type) => type === 'auth.login.failed')).toHaveLength(10)
  })

  it('looks at fifty links of a client in a quarter of an hour that lead nowhere, and then at none', async () => {
    const link = await world.resetLink(await registered())
    const from = { peer: '198.51.100.8' }
    for (let nth = 0; nth < 50; nth += 1) expect((await reset('guessed', NEW, from)).status).toBe(410)
    world.clock.advance(MINUTE_MS)
    expect((await reset(link, NEW, from)).status).toBe(429)
    expect((await reset(link)).status).toBe(204)
    world.clock.advance(14 * MINUTE_MS)
    expect((await reset('guessed', NEW, from)).status).toBe(410)
  })

  it('counts no failure for a link that it could not look for', async () => {
    const link = await world.resetLink(await registered())
    const from = { peer: '198.51.100.9' }
    await world.sql`alter table password_resets rename to away`
    for (let nth = 0; nth < 50; nth += 1) expect((await reset(link, NEW, from)).status).toBe(500)
    await world.sql`alter table away rename to password_resets`
    world.clock.advance(MINUTE_MS)
    expect((await reset(link, NEW, from)).status).toBe(204)
  })

  it('lets the owner sign in while strangers guess from everywhere', async () => {
    const user = await registered()
    const at = '2001:db8:77::1'
    await world.sql`insert into login_counts (key, count, resets_at) values
      (${digestOf(user.email)}, 100, ${new Date(world.clock.now().getTime() + 60 * MINUTE_MS)})
      on conflict (key) do update set count = 100`
    const json = { email: user.email, password: NEW }
    expect((await reset(await world.resetLink(user), NEW, { peer: at })).status).toBe(204)
    expect((await world.call(logIn, { json, peer: '2001:db8:78::1' })).status).toBe(429)
    expect((await world.call(logIn, { json, peer: at })).status).toBe(200)
  })

  it('lets the owner sign in who had tried in vain until no more was allowed', async () => {
    const user = await registered()
    for (let failures = 0; (await signIn(user.email, 'a wrong password')) !== 429; failures += 1) {
      expect(failures).toBeLessThan(50)
    }
    expect((await reset(await world.resetLink(user))).status).toBe(204)
    expect(await signIn(user.email, NEW)).toBe(200)
  })

  it.each([
    ['leaves no webhook of whoever had the account before its address was confirmed', false],
    ['keeps the webhook of an address that is confirmed', true],
  ])('%s', async (_, isConfirmed) => {
    const user = await registered()
    if (isConfirmed) await world.sql`update users set email_confirmed_at = now() where id = ${user.id}`
    const { body } = await world.call<SignedIn>(logIn, { json: { email: user.email, password: OLD } })
    const json = { webhook_url: 'https://hooks.example.org/eve' }
    expect((await world.call(setPreferences, { json, token: body.access_token })).status).toBe(200)
    expect((await reset(await world.resetLink(user))).status).toBe(204)
    const { preferences } = (await world.deps.preferences.get(user.id)).audience
    expect(preferences).toMatchObject({
      webhookUrl: isConfirmed ? json.webhook_url : null,
      version: isConfirmed ? 1 : 2,
    })
    const told = (await world.eventsOf(user.id)).filter(({ type }) => type === 'preferences.updated')
    expect(told).toHaveLength(isConfirmed ? 1 : 2)
  })

  it('works for 30 minutes', async () => {
    const user = await registered()
    const [first, second] = [await world.resetLink(user), await world.resetLink(user)]
    world.clock.advance(30 * MINUTE_MS - 1)
    expect((await reset(first)).status).toBe(204)
    world.clock.advance(1)
    expect(await reset(second)).toMatchObject(gone)
    expect(await reset(first)).toMatchObject(gone)
  })

  it('refuses what is none of ours, or was made for an address that is not the account’s', async () => {
    const user = await registered()
    const link = await world.resetLink(user)
    const foreign = { userId: user.id, address: 'somebody@example.org', askedAt: world.clock.now() }
    expect(await world.identity.links.passwordReset(foreign)).toBeNull()
    for (const token of ['', 'x', `${link}0`, link.toUpperCase()])
      expect(await reset(token)).toMatchObject(gone)
    expect(await signIn(user.email, OLD)).toBe(200)
  })

  it.each(['trustno1', 'short'])('refuses %s as the new one and keeps the link', async (password) => {
    const user = await registered()
    const link = await world.resetLink(user)
    expect(await reset(link, password)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'new_password' }] },
    })
    expect((await reset(link)).status).toBe(204)
  })

  it('keeps only a digest of the token', async () => {
    const user = await registered()
    const link = await world.resetLink(user)
    const rows =
      await world.sql`select row_to_json(r) as row from password_resets r where user_id = ${user.id}`
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(link.replace('dbp_', ''))
  })
})

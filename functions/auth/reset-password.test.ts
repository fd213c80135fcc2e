import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { MINUTE_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
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
const linkFor = ({ id, email }: { id: string; email: string }) =>
  world.identity.links.passwordReset(id, email)
const reset = (token: string, new_password = NEW) =>
  world.call<{ code: string; errors?: { path: string }[] } | null>(resetPassword, {
    json: { token, new_password },
  })
const signIn = async (email: string, password: string) =>
  (await world.call(logIn, { json: { email, password } })).status
const refresh = async (refresh_token: string) =>
  (await world.call(refreshSession, { json: { refresh_token } })).status
const gone = { status: 410, body: { code: 'auth.invalid_link' } }

describe('reset-password', () => {
  it('sets the password, ends all sessions and confirms the address', async () => {
    const user = await registered()
    expect((await reset(await linkFor(user))).status).toBe(204)
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
    const [link, other] = [await linkFor(user), await linkFor(user)]
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

  it('lets the owner sign in who had tried in vain until no more was allowed', async () => {
    const user = await registered()
    for (let failures = 0; (await signIn(user.email, 'a wrong password')) !== 429; failures += 1) {
      expect(failures).toBeLessThan(50)
    }
    expect((await reset(await linkFor(user))).status).toBe(204)
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
    expect((await reset(await linkFor(user))).status).toBe(204)
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
    const [first, second] = [await linkFor(user), await linkFor(user)]
    world.clock.advance(30 * MINUTE_MS - 1)
    expect((await reset(first)).status).toBe(204)
    world.clock.advance(1)
    expect(await reset(second)).toMatchObject(gone)
    expect(await reset(first)).toMatchObject(gone)
  })

  it('refuses what is none of ours, or was made for an address that is not the account’s', async () => {
    const user = await registered()
    const link = await linkFor(user)
    const foreign = await linkFor({ id: user.id, email: 'somebody@example.org' })
    for (const token of ['', 'x', `${link}0`, link.toUpperCase(), foreign])
      expect(await reset(token)).toMatchObject(gone)
    expect(await signIn(user.email, OLD)).toBe(200)
  })

  it.each(['trustno1', 'short'])('refuses %s as the new one and keeps the link', async (password) => {
    const user = await registered()
    const link = await linkFor(user)
    expect(await reset(link, password)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'new_password' }] },
    })
    expect((await reset(link)).status).toBe(204)
  })

  it('keeps only a digest of the token', async () => {
    const user = await registered()
    const link = await linkFor(user)
    const rows =
      await world.sql`select row_to_json(r) as row from password_resets r where user_id = ${user.id}`
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(link.replace('dbp_', ''))
  })
})

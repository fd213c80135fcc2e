import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import changePassword from './change-password.ts'
import issueTicket from './issue-ticket.ts'
import logIn from './log-in.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const OLD = 'correct horse battery staple'
const NEW = 'another horse battery staple'

async function registered() {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: OLD } })
  return { email, id: body.user.id, token: body.access_token, refresh: body.refresh_token }
}
const signIn = (email: string, password: string, peer?: string) =>
  world.call<SignedIn>(logIn, { json: { email, password }, ...(peer !== undefined && { peer }) })
const change = (token: string, old_password = OLD, new_password = NEW, peer?: string) =>
  world.call<{ code: string; errors?: { path: string }[] } | null>(changePassword, {
    token,
    json: { old_password, new_password },
    ...(peer !== undefined && { peer }),
  })
const refresh = async (refresh_token: string) =>
  (await world.call(refreshSession, { json: { refresh_token } })).status
const typesOf = async (id: string) => (await world.eventsOf(id)).map(({ type }) => type)

describe('change-password', () => {
  it('replaces the password and ends all sessions but its own, with what hangs on them', async () => {
    const user = await registered()
    const { body: phone } = await signIn(user.email, OLD)
    await world.call(issueTicket, { token: phone.access_token })
    await world.call(issueTicket, { token: user.token })
    expect((await change(user.token)).status).toBe(204)
    expect((await signIn(user.email, OLD)).status).toBe(401)
    expect((await signIn(user.email, NEW)).status).toBe(200)
    expect([await refresh(phone.refresh_token), await refresh(user.refresh)]).toEqual([401, 200])
    const tickets =
      await world.sql`select actor ->> 'sessionId' as session from tickets where user_id = ${user.id}`
    const { sessionId } = await world.authenticate(user.token)
    expect(tickets.map(({ session }) => session as string)).toEqual([sessionId])
    const told = (await world.eventsOf(user.id)).slice(4, 6)
    expect(told).toMatchObject([
      { type: 'auth.password.changed' },
      { type: 'auth.token.revoked', data: { reason: 'password_changed' } },
    ])
    expect(JSON.stringify(await world.eventsOf(user.id))).not.toMatch(/horse|scrypt/)
  })

  it('done again changes nothing', async () => {
    const user = await registered()
    expect((await change(user.token)).status).toBe(204)
    const { body: later } = await signIn(user.email, NEW)
    const before = await typesOf(user.id)
    expect((await change(user.token)).status).toBe(204)
    expect([await typesOf(user.id), await refresh(later.refresh_token)]).toEqual([before, 200])
  })

  it('lets one of many that come at once do it', async () => {
    const user = await registered()
    const all = await Promise.all(Array.from({ length: 5 }, () => change(user.token)))
    expect(all.map(({ status }) => status)).toEqual(Array<number>(5).fill(204))
    expect((await typesOf(user.id)).filter((type) => type === 'auth.password.changed')).toHaveLength(1)
  })

  it('leaves no session of the old password that was opened at the same moment', async () => {
    const user = await registered()
    const [, ...opened] = await Promise.all([
      change(user.token),
      ...Array.from({ length: 6 }, () => signIn(user.email, OLD)),
    ])
    const sessions = opened.filter(({ status }) => status === 200)
    for (const { body } of sessions) expect(await refresh(body.refresh_token)).toBe(401)
    expect(opened.every(({ status }) => [200, 401].includes(status))).toBe(true)
  })

  it('tells a confirmed address of it', async () => {
    const user = await registered()
    await world.sql`update users set email_confirmed_at = now() where id = ${user.id}`
    await change(user.token)
    const mails =
      await world.sql`select type, body from notifications where user_id = ${user.id} order by created_at, id`
    expect([...mails]).toMatchObject([
      { type: 'confirmation' },
      { type: 'password_change', body: user.email },
    ])
  })

  it('brings no link any more that a mail was asked for before', async () => {
    const user = await registered()
    const asked = { userId: user.id, address: user.email, askedAt: world.clock.now() }
    world.clock.advance(1)
    await change(user.token)
    expect(await world.identity.links.passwordReset(asked)).toBeNull()
    world.clock.advance(1)
    expect(await world.resetLink(user)).toMatch(/^dbp_/)
  })

  it('brings no link that a mail was asked for while the new password was hashed', async () => {
    const user = await registered()
    const asked = { userId: user.id, address: user.email, askedAt: world.clock.now() }
    world.whileHashing(() => {
      world.clock.advance(1000)
      asked.askedAt = world.clock.now()
    })
    expect((await change(user.token)).status).toBe(204)
    expect(await world.identity.links.passwordReset(asked)).toBeNull()
  })

  it('takes back another address that was asked for, and links to set a password', async () => {
    const user = await registered()
    const link = await world.resetLink(user)
    await world.sql`update users set new_email = 'thief@example.org', new_email_at = now() where id = ${user.id}`
    await change(user.token)
    expect(await world.identity.store.findUser(user.id)).toMatchObject({ newEmail: null, newEmailAt: null })
    expect(await world.sql`select 1 from password_resets where user_id = ${user.id}`).toHaveLength(0)
    expect(link).toMatch(/^dbp_[0-9a-f]{64}$/)
  })

  it.each([
    ['a wrong old one', ['wrong horse battery', NEW], 'old_password'],
    ['a common new one', [OLD, 'Password1'], 'new_password'],
    ['a short new one', [OLD, 'short'], 'new_password'],
    ['the present one', [OLD, OLD], 'new_password'],
  ])('refuses %s and names the field', async (_, [old, next], path) => {
    const user = await registered()
    const { status, body } = await change(user.token, old, next)
    const code = path === 'old_password' ? 'auth.wrong_password' : 'request.invalid'
    expect([status, body]).toMatchObject([422, { code, errors: [{ path }] }])
    expect((await signIn(user.email, OLD)).status).toBe(200)
  })

  it('refuses the own address, whose account it is known to be', async () => {
    const user = await registered()
    const { status, body } = await change(user.token, OLD, user.email.toUpperCase())
    expect([status, body]).toMatchObject([422, { errors: [{ path: 'new_password' }] }])
  })

  it('lets a client guess no more often than it may sign in', async () => {
    const user = await registered()
    const guess = async () => (await change(user.token, 'wrong horse battery', NEW, '198.51.100.7')).status
    const statuses: number[] = []
    // Two passwords each, the new one as well: it may be the present one already.
    for (let nth = 0; nth < 6; nth += 1) statuses.push(await guess())
    expect(statuses).toEqual([...Array<number>(5).fill(422), 429])
    expect((await signIn(user.email, OLD, '198.51.100.7')).status).toBe(429)
    expect((await typesOf(user.id)).filter((type) => type === 'auth.login.failed')).toHaveLength(10)
  })

  it('is nothing for an account without a password, though another account has its address', async () => {
    const { email } = await registered()
    const external = await world.external({ email })
    const { status, body } = await change(tokenOf(external.id))
    expect([status, body]).toMatchObject([409, { code: 'auth.no_password' }])
    expect((await signIn(email, OLD)).status).toBe(200)
  })
})

import { describe, expect, it } from 'vitest'
import type { SessionList } from '../../shared/domain/auth/identity-session.ts'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld, type CallOptions } from '../../testing/worlds/identity-world.ts'
import listSessions from './list-sessions.ts'
import logIn from './log-in.ts'
import logOut from './log-out.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const account = () => ({ email: `${systemIds.uuid()}@example.org`, password: 'correct horse battery staple' })
const from = (peer: string, agent: string): CallOptions => ({ peer, headers: { 'user-agent': agent } })

const register = async (json: object, options: CallOptions = {}) =>
  (await world.call<SignedIn>(registerUser, { json, ...options })).body
const signIn = async (json: object, options: CallOptions = {}) =>
  (await world.call<SignedIn>(logIn, { json, ...options })).body
const refresh = async ({ refresh_token }: SignedIn, options: CallOptions = {}) =>
  (await world.call<SignedIn>(refreshSession, { json: { refresh_token }, ...options })).body
const sessionsOf = async ({ access_token: token }: Pick<SignedIn, 'access_token'>) =>
  (await world.call<SessionList>(listSessions, { token })).body.items

describe('list-sessions', () => {
  it('tells where a person is signed in, since when, by what and from where, those used last first', async () => {
    const [ada, start] = [account(), world.clock.now()]
    const desktop = await register(ada, from('203.0.113.9', 'a desktop'))
    world.clock.advance(MINUTE)
    const phone = await signIn(ada, from('198.51.100.7', 'a phone'))
    const [onPhone, onDesktop] = await sessionsOf(phone)
    expect([onPhone, onDesktop]).toEqual([
      {
        id: expect.any(String) as string,
        created_at: new Date(start.getTime() + MINUTE).toISOString(),
        last_used_at: new Date(start.getTime() + MINUTE).toISOString(),
        expires_at: new Date(start.getTime() + MINUTE + 30 * DAY).toISOString(),
        client_address: '198.51.100.7',
        user_agent: 'a phone',
        client_id: null,
        scopes: null,
        current: true,
      },
      {
        id: expect.any(String) as string,
        created_at: start.toISOString(),
        last_used_at: start.toISOString(),
        expires_at: new Date(start.getTime() + 30 * DAY).toISOString(),
        client_address: '203.0.113.9',
        user_agent: 'a desktop',
        client_id: null,
        scopes: null,
        current: false,
      },
    ])
    world.clock.advance(MINUTE)
    const moved = await refresh(desktop, from('2001:db8::1', 'a desktop, updated'))
    expect(await sessionsOf(moved)).toMatchObject([
      {
        id: onDesktop!.id,
        created_at: start.toISOString(),
        last_used_at: new Date(start.getTime() + 2 * MINUTE).toISOString(),
        client_address: '2001:db8::1',
        user_agent: 'a desktop, updated',
        current: true,
      },
      { id: onPhone!.id, current: false },
    ])
  })

  it('leaves out those that have ended and those of others', async () => {
    const ada = account()
    const first = await register(ada)
    await register(account())
    const second = await signIn(ada)
    await world.call(logOut, { json: { refresh_token: second.refresh_token } })
    expect(await sessionsOf(first)).toHaveLength(1)
    world.clock.advance(29 * DAY)
    const third = await signIn(ada)
    world.clock.advance(DAY)
    const renewed = await refresh(third)
    expect(await sessionsOf(renewed)).toMatchObject([{ current: true }])
  })

  it('cuts what a client calls itself, and knows when it does not say', async () => {
    const ada = account()
    const silent = await register(ada)
    world.clock.advance(1)
    await signIn(ada, from('203.0.113.9', `"\\${'x'.repeat(1000)}`))
    expect((await sessionsOf(silent)).map(({ user_agent }) => user_agent)).toEqual([
      `"\\${'x'.repeat(254)}`,
      null,
    ])
  })

  it('keeps nothing of the tokens in its answer, and nobody keeps the answer', async () => {
    const { access_token: token } = await register(account())
    const { body, headers } = await world.call<SessionList>(listSessions, { token })
    expect(Object.keys(body.items[0]!)).not.toContain('seed')
    expect(JSON.stringify(body)).not.toMatch(/digest|seed|dbr_/)
    expect(headers.get('cache-control')).toBe('no-store')
  })
})

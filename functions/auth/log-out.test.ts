import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import getMe from './get-me.ts'
import logOut from './log-out.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()

async function signedIn() {
  const json = { email: `${systemIds.uuid()}@example.org`, password: 'correct horse battery staple' }
  return (await world.call<SignedIn>(registerUser, { json })).body
}

const leave = (token: string) => world.call(logOut, { json: { refresh_token: token } })
const refresh = (token: string) => world.call<SignedIn>(refreshSession, { json: { refresh_token: token } })

describe('log-out', () => {
  it('ends the session', async () => {
    const { user, refresh_token: token } = await signedIn()
    const { status, headers, body } = await leave(token)
    expect({ status, body }).toEqual({ status: 204, body: null })
    expect(headers.get('cache-control')).toBe('no-store')
    expect((await refresh(token)).status).toBe(401)
    const events = (await world.eventsOf(user.id)).slice(2)
    expect(events.map(({ type }) => type)).toEqual(['auth.logout', 'auth.token.revoked'])
    expect(events[1]?.data).toMatchObject({ reason: 'logout', actor: { type: 'user', id: user.id } })
  })

  it('ends the access tokens of the session at once, in every process, and no other session', async () => {
    const { access_token: token, refresh_token } = await signedIn()
    const [sibling, other] = [world.sibling(), await signedIn()]
    for (const process of [world, sibling]) {
      expect((await process.call(getMe, { token })).status).toBe(200)
      expect((await process.call(getMe, { token: other.access_token })).status).toBe(200)
    }
    await leave(refresh_token)
    const { status, body } = await world.call(getMe, { token })
    expect([status, body]).toMatchObject([
      401,
      { code: 'auth.invalid_token', detail: /session .* has ended/ },
    ])
    await expect.poll(async () => (await sibling.call(getMe, { token })).status).toBe(401)
    for (const process of [world, sibling, world.sibling()]) {
      expect((await process.call(getMe, { token: other.access_token })).status).toBe(200)
    }
    expect((await world.sibling().call(getMe, { token })).status).toBe(401)
  })

  it('ends the session also with a token from before the last refresh', async () => {
    const { refresh_token: first } = await signedIn()
    const { body } = await refresh(first)
    expect((await leave(first)).status).toBe(204)
    expect((await refresh(body.refresh_token)).status).toBe(401)
  })

  it('is told once, however often and however simultaneously it is asked for', async () => {
    const { user, refresh_token: token } = await signedIn()
    const answers = await Promise.all(Array.from({ length: 20 }, () => leave(token)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
    const events = await world.eventsOf(user.id)
    expect(events.filter(({ type }) => type === 'auth.logout')).toHaveLength(1)
  })

  it('wins over a refresh at the same moment', async () => {
    const { refresh_token: token } = await signedIn()
    const [left, refreshed] = await Promise.all([leave(token), refresh(token)])
    expect(left.status).toBe(204)
    const next = refreshed.status === 200 ? refreshed.body.refresh_token : token
    expect((await refresh(next)).status).toBe(401)
  })

  it.each(['', 'junk', `dbr_${'0'.repeat(96)}`])('has nothing against the token %j', async (token) => {
    expect((await leave(token)).status).toBe(204)
  })

  it('answers 422 without a token', async () => {
    expect((await world.call(logOut, { json: {} })).status).toBe(422)
  })
})

import { describe, expect, it } from 'vitest'
import { apiWorld } from '../../testing/worlds/api-world.ts'
import { sessionsOf } from '../../testing/worlds/sessions-of.ts'
import type { Person } from '../../testing/worlds/api-client.ts'

const world = await apiWorld()

const { statusOf, refresh, idOf, revocations } = sessionsOf(world)
const end = async ({ token }: Person, id: string) =>
  (await world.ask('DELETE', `/api/auth/sessions/${id}`, { token })).status

describe('DELETE /api/auth/sessions/:id', () => {
  it('ends that session with its tokens at once, and no other', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    const id = await idOf(phone)
    expect(await end(person, id)).toBe(204)
    expect([await statusOf(phone), await refresh(phone)]).toEqual([401, 401])
    expect([await statusOf(person), await refresh(person)]).toEqual([200, 200])
    expect(await revocations(person)).toMatchObject([
      { reason: 'session_ended', actor: { type: 'user', id: person.id } },
    ])
  })

  it('is told once, however often and however simultaneously it is asked for', async () => {
    const person = await world.register()
    const id = await idOf(await world.signIn(person))
    const answers = await Promise.all(Array.from({ length: 10 }, () => end(person, id)))
    expect(new Set([...answers, await end(person, id)])).toEqual(new Set([204]))
    expect(await revocations(person)).toHaveLength(1)
  })

  it('ends the session of its own token', async () => {
    const person = await world.register()
    expect(await end(person, await idOf(person))).toBe(204)
    expect([await statusOf(person), await refresh(person)]).toEqual([401, 401])
  })

  it('wins over a refresh at the same moment', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    const id = await idOf(phone)
    const [ended, refreshed] = await Promise.all([
      end(person, id),
      world.ask('POST', '/api/auth/refresh', { json: { refresh_token: phone.refreshToken } }),
    ])
    expect(ended).toBe(204)
    if (refreshed.status !== 200) return
    const { access_token, refresh_token } = JSON.parse(refreshed.text) as Record<string, string>
    const next = { ...phone, token: access_token!, refreshToken: refresh_token! }
    expect([await statusOf(next), await refresh(next)]).toEqual([401, 401])
  })

  it('answers 404 for the session of somebody else, which goes on, and for none', async () => {
    const [ada, eve] = [await world.register(), await world.register()]
    const id = await idOf(ada)
    for (const unknown of [id, '0199d0a0-0000-7000-8000-000000000000']) {
      const got = await world.ask('DELETE', `/api/auth/sessions/${unknown}`, { token: eve.token })
      expect([got.status, JSON.parse(got.text)]).toMatchObject([404, { code: 'session.not_found' }])
    }
    expect([await statusOf(ada), await refresh(ada)]).toEqual([200, 200])
  })
})

import { describe, expect, it } from 'vitest'
import { apiWorld } from '../../testing/worlds/api-world.ts'
import { sessionsOf } from '../../testing/worlds/sessions-of.ts'
import type { Person } from '../../testing/worlds/api-client.ts'

const world = await apiWorld()

const { statusOf, refresh, idOf, revocations } = sessionsOf(world)
const endAll = async ({ token }: Person, query = '') =>
  (await world.ask('DELETE', `/api/auth/sessions${query}`, { token })).status

describe('DELETE /api/auth/sessions', () => {
  it('ends all sessions of the caller, that of the request included, and nobody else’s', async () => {
    const [person, other] = [await world.register(), await world.register()]
    const phone = await world.signIn(person)
    expect(await endAll(person)).toBe(204)
    for (const ended of [person, phone])
      expect([await statusOf(ended), await refresh(ended)]).toEqual([401, 401])
    expect(await statusOf(other)).toBe(200)
    const again = await world.signIn(person)
    expect(await statusOf(again)).toBe(200)
    expect(await revocations(again)).toMatchObject([{ reason: 'sessions_ended' }])
  })

  it('keeps the session of the request where that is asked for, and tells nothing when there is no other', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    for (let nth = 0; nth < 3; nth += 1) expect(await endAll(person, '?except=current')).toBe(204)
    expect([await statusOf(phone), await refresh(phone)]).toEqual([401, 401])
    expect([await statusOf(person), await refresh(person)]).toEqual([200, 200])
    expect(await revocations(person)).toHaveLength(1)
  })

  it.each(['', '?except=current'])(
    'ends the API tokens too, also where they are all there is: "%s"',
    async (query) => {
      const person = await world.register()
      const { token } = await world.have(person, 'POST', '/api/tokens', {
        name: 'Agent',
        scopes: ['tasks:read'],
      })
      const use = async () => (await world.ask('GET', '/api/tasks', { token: String(token) })).status
      expect(await use()).toBe(200)
      expect(await endAll(person, query)).toBe(204)
      expect(await use()).toBe(401)
    },
  )

  it('keeps none by another name', async () => {
    const person = await world.register()
    const id = await idOf(person)
    for (const query of [`?except=${id}`, '?except=', '?keep=current', '?except=current&except=current']) {
      expect(await endAll(person, query)).toBe(422)
    }
    expect(await statusOf(person)).toBe(200)
  })

  it('leaves no ticket of an ended session usable', async () => {
    const person = await world.register()
    const stolen = await world.signIn(person)
    const tickets = await world.ask('POST', '/api/auth/ticket', { token: stolen.token })
    const { ticket } = JSON.parse(tickets.text) as { ticket: string }
    await endAll(person, '?except=current')
    const opened = await world.ask('GET', `/api/notifications/stream?ticket=${ticket}`)
    expect(opened.status).toBe(401)
  })
})

describe('access with a token of before', () => {
  it('ends for all other sessions when the password is changed', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    const passwords = { old_password: person.password, new_password: 'another horse battery staple' }
    for (const one of [person, phone]) expect(await statusOf(one)).toBe(200)
    await world.have(person, 'POST', '/api/auth/password', passwords)
    expect([await statusOf(person), await statusOf(phone), await refresh(phone)]).toEqual([200, 401, 401])
  })

  it('ends for all sessions when the password is set anew by mail', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    for (const one of [person, phone]) expect(await statusOf(one)).toBe(200)
    const json = { token: await world.resetToken(person), new_password: 'another horse battery staple' }
    await world.ask('POST', '/api/auth/password-reset/confirm', { json })
    for (const one of [person, phone]) expect([await statusOf(one), await refresh(one)]).toEqual([401, 401])
  })

  it('ends for all sessions when the account is deleted', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    for (const one of [person, phone]) expect(await statusOf(one)).toBe(200)
    await world.have(person, 'DELETE', '/api/me', { password: person.password })
    for (const one of [person, phone]) {
      expect((await world.ask('GET', '/api/tasks', { token: one.token })).status).toBe(401)
      expect(await refresh(one)).toBe(401)
    }
  })
})

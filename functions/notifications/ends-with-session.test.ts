import { describe, expect, it } from 'vitest'
import { apiWorld } from '../../testing/worlds/api-world.ts'
import type { Person } from '../../testing/worlds/api-client.ts'
import { aBrowser } from '../../testing/worlds/push-service.ts'

const world = await apiWorld()
const PATH = '/api/notifications/push-subscriptions'

const subscribe = (token: string, browser = aBrowser()) => world.ask('POST', PATH, { token, json: browser })
const devices = async (person: Person) =>
  ((await world.have(person, 'GET', PATH))['items'] as unknown[]).length
const refresh = (refresh_token: string) => world.ask('POST', '/api/auth/refresh', { json: { refresh_token } })

const signOut = ({ refreshToken }: Pick<Person, 'refreshToken'>) =>
  world.ask('POST', '/api/auth/logout', { json: { refresh_token: refreshToken } })

describe('a push subscription', () => {
  it('ends when its session is signed out, and those of other sessions stay', async () => {
    const person = await world.register()
    const [phone, other] = [await world.signIn(person), await world.signIn(person)]
    await subscribe(person.token)
    await subscribe(phone.token)
    expect(await devices(other)).toBe(2)
    await signOut(phone)
    expect(await devices(other)).toBe(1)
    await signOut(person)
    expect(await devices(other)).toBe(0)
  })

  it('cannot be added any more with what is left of a session', async () => {
    const person = await world.register()
    const other = await world.signIn(person)
    await signOut(person)
    const { status, text } = await subscribe(person.token)
    expect([status, JSON.parse(text)]).toMatchObject([401, { code: 'auth.invalid_token' }])
    expect(await devices(other)).toBe(0)
  })

  it('ends when a refresh token that was used twice ends the session', async () => {
    const person = await world.register()
    const other = await world.signIn(person)
    await subscribe(person.token)
    const next = JSON.parse((await refresh(person.refreshToken)).text) as { refresh_token: string }
    const last = JSON.parse((await refresh(next.refresh_token)).text) as { refresh_token: string }
    expect(last.refresh_token).toBeDefined()
    expect((await refresh(person.refreshToken)).status).toBe(401)
    expect(await devices(other)).toBe(0)
  })

  it('ends with all sessions but the one that ends them', async () => {
    const person = await world.register()
    const phone = await world.signIn(person)
    await subscribe(person.token)
    await subscribe(phone.token)
    await world.have(phone, 'DELETE', '/api/auth/sessions?except=current')
    expect(await devices(phone)).toBe(1)
  })

  it('goes over to the session that posts it again, by a refreshed token too', async () => {
    const person = await world.register()
    const [phone, other, browser] = [await world.signIn(person), await world.signIn(person), aBrowser()]
    await subscribe(person.token, browser)
    const { access_token } = JSON.parse((await refresh(phone.refreshToken)).text) as { access_token: string }
    expect((await subscribe(access_token, browser)).status).toBe(201)
    await signOut(person)
    expect(await devices(other)).toBe(1)
    await signOut(phone)
    expect(await devices(other)).toBe(0)
  })
})

import { createRemoteJWKSet, jwtVerify } from 'jose'
import { expect, it, onTestFinished } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { anAddress } from '../worlds/api-client.ts'
import { openEventStream } from '../worlds/event-stream.ts'
import { product } from './harness/product.ts'

const { ask, register, signIn, url } = await product()

const post = (path: string, json: unknown) => ask('POST', path, { json, headers: anAddress() })
const signedIn = (text: string) => JSON.parse(text) as SignedIn
const codeOf = (text: string) => (JSON.parse(text) as { code: string }).code
const me = (token: string) => ask('GET', '/api/me', { token })

it('who has registered signs in again and is the same person, with a token that every unit takes', async () => {
  const { id, email, password, token } = await register()
  const session = signedIn((await post('/api/auth/login', { email, password })).text)
  expect(session.user.id).toBe(id)
  for (const one of [token, session.access_token]) {
    expect(JSON.parse((await me(one)).text)).toMatchObject({ id, email })
    expect((await ask('GET', '/api/tasks', { token: one })).status).toBe(200)
    expect((await ask('GET', '/api/changes', { token: one })).status).toBe(200)
  }
})

it('nobody registers twice, and nobody signs in with another password', async () => {
  const { email, password } = await register()
  const twice = await post('/api/auth/register', { email, password })
  expect([twice.status, codeOf(twice.text)]).toEqual([409, 'auth.email_taken'])
  const wrong = await post('/api/auth/login', { email, password: `${password}!` })
  expect([wrong.status, codeOf(wrong.text)]).toEqual([401, 'auth.invalid_credentials'])
})

it('a session goes on by its refresh token until that is used twice', async () => {
  const { refreshToken } = await register()
  const next = await post('/api/auth/refresh', { refresh_token: refreshToken })
  const { access_token, refresh_token } = signedIn(next.text)
  expect((await me(access_token)).status).toBe(200)
  const last = signedIn((await post('/api/auth/refresh', { refresh_token })).text)
  // Who shows the first one again has stolen it, or was robbed of it.
  expect((await post('/api/auth/refresh', { refresh_token: refreshToken })).status).toBe(401)
  expect((await post('/api/auth/refresh', { refresh_token: last.refresh_token })).status).toBe(401)
})

const UNITS = ['/api/me', '/api/tasks', '/api/changes', '/api/notifications', '/api/reminders']
const statuses = (token: string) =>
  Promise.all(UNITS.map(async (path) => (await ask('GET', path, { token })).status))

it('a session that was ended does not go on, in no unit, and its stream is over', async () => {
  const person = await register()
  const other = await signIn(person)
  const headers = { authorization: `Bearer ${person.token}` }
  const stream = await openEventStream(`${url}/api/notifications/stream`, { headers })
  onTestFinished(stream.close)
  expect(await statuses(person.token)).toEqual(UNITS.map(() => 200))
  const { refreshToken: refresh_token } = person
  expect((await post('/api/auth/logout', { refresh_token })).status).toBe(204)
  expect((await post('/api/auth/refresh', { refresh_token })).status).toBe(401)
  await expect.poll(() => statuses(person.token)).toEqual(UNITS.map(() => 401))
  await stream.ended
  expect(await statuses(other.token)).toEqual(UNITS.map(() => 200))
})

it('anybody can check an access token by the published keys', async () => {
  const { id, token } = await register()
  const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(token, keys, { audience: 'daybook' })
  expect(payload.sub).toBe(id)
})

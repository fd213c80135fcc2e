import { describe, expect, it } from 'vitest'
import type { MeView, SignedIn } from '../../shared/domain/auth/identity.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import getMe from './get-me.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()

describe('get-me', () => {
  it('answers with the account of the token', async () => {
    const json = {
      email: 'ada@example.org',
      password: 'correct horse battery staple',
      time_zone: 'Europe/Paris',
    }
    const { body } = await world.call<SignedIn>(registerUser, { json })
    const me = await world.call<MeView>(getMe, { token: body.access_token })
    expect(me.status).toBe(200)
    expect(me.headers.get('cache-control')).toBe('no-store')
    expect(me.body).toEqual({
      id: body.user.id,
      email: 'ada@example.org',
      email_confirmed_at: null,
      new_email: null,
      display_name: null,
      time_zone: 'Europe/Paris',
      created_at: '2026-11-22T10:00:00.000Z',
    })
  })

  it('answers 401 for a valid token of an account that is gone', async () => {
    const me = await world.call(getMe, { token: tokenOf('0199d0a0-0000-7000-8000-000000000001') })
    expect(me).toMatchObject({ status: 401, body: { code: 'auth.invalid_token' } })
  })

  it.each([
    [undefined, 'auth.required'],
    ['', 'auth.invalid_token'],
    ['Bearer', 'auth.invalid_token'],
    ['Basic YTpi', 'auth.invalid_token'],
    ['Bearer a b', 'auth.invalid_token'],
    ['Bearer ..', 'auth.invalid_token'],
    [`Bearer ${'a'.repeat(100_000)}`, 'auth.invalid_token'],
  ])('answers 401 for the Authorization header %.20j', async (authorization, code) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const me = await world.call<{ code: string }>(getMe, { headers })
    expect(me.status).toBe(401)
    expect(me.body.code).toBe(code)
    expect(me.headers.get('cache-control')).toBe('no-store')
    expect(me.headers.get('content-type')).toBe('application/problem+json')
  })
})

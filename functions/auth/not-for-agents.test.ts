import { describe, expect, it } from 'vitest'
import type { NewApiToken } from '../../shared/domain/auth/api-token.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import changePassword from './change-password.ts'
import createApiToken from './create-api-token.ts'
import deleteMe from './delete-me.ts'
import editMe from './edit-me.ts'
import endSession from './end-session.ts'
import endSessions from './end-sessions.ts'
import exportMe from './export-me.ts'
import getMe from './get-me.ts'

const world = await identityWorld()
const scopes = ['account:read', 'account:write']
const isThere = async (token: string) => (await world.call(getMe, { token })).status === 200

describe('a token of a program', () => {
  it.each([{}, { password: 'anything at all' }])(
    'does not delete an account, also where no password guards it: %j',
    async (json) => {
      const { id } = await world.external()
      const { body } = await world.call<NewApiToken>(createApiToken, {
        token: tokenOf(id),
        json: { name: 'Agent', scopes },
      })
      const { token } = body
      expect(await world.call(deleteMe, { token, json })).toMatchObject({
        status: 403,
        body: { code: 'auth.forbidden' },
      })
      expect(await isThere(tokenOf(id))).toBe(true)
    },
  )

  it('neither ends sessions, nor changes how its user signs in', async () => {
    const owner = await tokenOwner(world)
    const { token } = await owner.token('account:read', 'account:write')
    const passwords = { old_password: owner.password, new_password: 'another horse battery staple' }
    const email = { email: 'eve@example.org', password: owner.password }
    const session = '0199d0a0-0000-7000-8000-00000000000a'
    for (const [fn, options] of [
      [deleteMe, { json: { password: owner.password } }],
      [endSessions, {}],
      [endSessions, { path: '/api/auth/sessions?except=current' }],
      [endSession, { path: `/api/auth/sessions/${session}` }],
      [changePassword, { json: passwords }],
      [editMe, { json: email }],
    ] as const) {
      const got = await world.call(fn, { token, ...options })
      expect([fn.path, got.status, got.body]).toMatchObject([fn.path, 403, { code: 'auth.forbidden' }])
    }
    expect(await isThere(owner.session)).toBe(true)
  })

  it('is named in the log of what it did to the account', async () => {
    const owner = await tokenOwner(world)
    const { id, token } = await owner.token('account:write', 'account:export')
    await world.call(editMe, { token, json: { display_name: 'Ada' } })
    await world.call(exportMe, { token })
    const events = (await world.eventsOf(owner.id)).slice(-2)
    expect(events).toMatchObject(
      ['auth.account.updated', 'auth.account.exported'].map((type) => ({
        type,
        data: { actor: { type: 'agent', id, on_behalf_of: owner.id } },
      })),
    )
  })
})

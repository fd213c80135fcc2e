import { describe, expect, it } from 'vitest'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import { aBrowser } from '../../testing/worlds/push-service.ts'
import addPushSubscription from '../notifications/add-push-subscription.ts'
import listTasks from '../tasks/list-tasks.ts'
import deleteMe from './delete-me.ts'
import issueTicket from './issue-ticket.ts'
import revokeApiToken from './revoke-api-token.ts'

const world = await identityWorld()
const revoke = (token: string, id: string) => world.call(revokeApiToken, { token, path: `/api/tokens/${id}` })
const use = async (token: string, at = world) => (await at.call(listTasks, { token })).status

describe('DELETE /api/tokens/:id', () => {
  it('ends a token at once in every process, and no other', async () => {
    const owner = await tokenOwner(world)
    const other = world.sibling()
    const [gone, kept] = [await owner.token('tasks:read'), await owner.token('tasks:read')]
    expect([await use(gone.token), await use(gone.token, other)]).toEqual([200, 200])
    expect((await revoke(owner.session, gone.id)).status).toBe(204)
    expect([await use(gone.token), await use(kept.token)]).toEqual([401, 200])
    await expect.poll(() => use(gone.token, other)).toBe(401)
    expect((await world.eventsOf(owner.id)).at(-1)).toMatchObject({
      type: 'auth.token.revoked',
      data: { reason: 'api_token_revoked', token_id: gone.id, actor: { type: 'user', id: owner.id } },
    })
  })

  it('ends what the token has left behind: tickets and push subscriptions', async () => {
    const owner = await tokenOwner(world)
    const { id, token } = await owner.token('notifications:read', 'notifications:write')
    expect((await world.call(issueTicket, { token })).status).toBe(200)
    expect((await world.call(addPushSubscription, { token, json: aBrowser() })).status).toBe(201)
    await revoke(owner.session, id)
    const [left] = await world.sql`
      select (select count(*)::int from tickets where user_id = ${owner.id}) as tickets,
        (select count(*)::int from push_subscriptions where user_id = ${owner.id}) as subscriptions`
    expect(left).toEqual({ tickets: 0, subscriptions: 0 })
  })

  it('knows neither a token of somebody else, nor one that is gone', async () => {
    const [ada, eve] = [await tokenOwner(world), await tokenOwner(world)]
    const { id, token } = await ada.token('tasks:read')
    for (let nth = 0; nth < 2; nth += 1) {
      const got = await revoke(eve.session, id)
      expect([got.status, got.body]).toMatchObject([404, { code: 'token.not_found' }])
    }
    expect(await use(token)).toBe(200)
    expect((await revoke(ada.session, id)).status).toBe(204)
    expect((await revoke(ada.session, id)).status).toBe(404)
  })

  it('is not for tokens', async () => {
    const owner = await tokenOwner(world)
    const { id, token } = await owner.token('account:write')
    expect((await revoke(token, id)).body).toMatchObject({ code: 'auth.forbidden' })
  })

  it('is not needed where the account is deleted', async () => {
    const owner = await tokenOwner(world)
    const { token } = await owner.token('tasks:read')
    expect(await use(token)).toBe(200)
    await world.call(deleteMe, { token: owner.session, json: { password: owner.password } })
    expect(await use(token)).toBe(401)
  })
})

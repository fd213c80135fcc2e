import { describe, expect, it } from 'vitest'
import type { ApiTokenList } from '../../shared/domain/auth/api-token.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import listTasks from '../tasks/list-tasks.ts'
import listApiTokens from './list-api-tokens.ts'

const world = await identityWorld()
const MINUTE_MS = 60_000
const list = async (token: string) => (await world.call<ApiTokenList>(listApiTokens, { token })).body.items

describe('GET /api/tokens', () => {
  it('tells of one’s own tokens, newest first, and nothing of the secret', async () => {
    const [ada, eve] = [await tokenOwner(world), await tokenOwner(world)]
    const first = await ada.token('tasks:read')
    world.clock.advance(1000)
    const { token, ...second } = await ada.token('tasks:write', 'tasks:read')
    const items = await list(ada.session)
    expect(items).toEqual([second, expect.objectContaining({ id: first.id })])
    expect(JSON.stringify(items)).not.toMatch(new RegExp(`digest|dba_|${token.slice(4)}`))
    expect(await list(eve.session)).toEqual([])
  })

  it('tells when one was used last, to some minutes, and writes no more often', async () => {
    const ada = await tokenOwner(world)
    const { token } = await ada.token('tasks:read')
    const lastUse = async () => (await list(ada.session))[0]!.last_used_at
    const use = async (from = world) => void (await from.call(listTasks, { token }))
    await use()
    const first = world.clock.now().toISOString()
    expect(await lastUse()).toBe(first)
    world.clock.advance(4 * MINUTE_MS)
    await use()
    await use(world.sibling())
    expect(await lastUse()).toBe(first)
    world.clock.advance(2 * MINUTE_MS)
    await use()
    expect(await lastUse()).toBe(world.clock.now().toISOString())
  })
})

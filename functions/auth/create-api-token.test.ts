import { describe, expect, it } from 'vitest'
import { MAX_API_TOKENS, type ApiTokenList } from '../../shared/domain/auth/api-token.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import changePassword from './change-password.ts'
import createApiToken from './create-api-token.ts'
import getMe from './get-me.ts'
import listApiTokens from './list-api-tokens.ts'
import createTask from '../tasks/create-task.ts'
import listTasks from '../tasks/list-tasks.ts'

const world = await identityWorld()
const DAY_MS = 24 * 60 * 60 * 1000

describe('POST /api/tokens', () => {
  it('makes a token that does what its scopes say and nothing else', async () => {
    const owner = await tokenOwner(world)
    const { status, body } = await owner.make({ name: 'Reader', scopes: ['tasks:read', 'tasks:read'] })
    expect([status, body]).toMatchObject([
      201,
      {
        name: 'Reader',
        scopes: ['tasks:read'],
        created_at: world.clock.now().toISOString(),
        expires_at: new Date(world.clock.now().getTime() + 90 * DAY_MS).toISOString(),
        last_used_at: null,
      },
    ])
    expect(body.token).toMatch(/^dba_[0-9a-f]{64}$/)
    expect((await world.call(listTasks, { token: body.token })).status).toBe(200)
    const write = await world.call(createTask, { token: body.token, json: { title: 'Pay rent' } })
    expect([write.status, write.body]).toMatchObject([
      403,
      { code: 'auth.insufficient_scope', detail: 'This requires a token with the scope tasks:write.' },
    ])
    expect(write.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    expect((await world.call(getMe, { token: body.token })).status).toBe(403)
  })

  it('has what is done with the token told as done on behalf of its owner', async () => {
    const owner = await tokenOwner(world)
    const { id, token } = await owner.token('tasks:write')
    await world.call(createTask, { token, json: { title: 'Pay rent' } })
    const events = await world.eventsOf(owner.id)
    expect(events.at(-1)).toMatchObject({
      type: 'task.created',
      data: { actor: { type: 'agent', id, on_behalf_of: owner.id } },
    })
    expect(events.filter(({ type }) => type === 'auth.token.created').at(-1)).toMatchObject({
      data: { kind: 'api', token: { id, scopes: ['tasks:write'] } },
    })
    expect(JSON.stringify(events)).not.toContain(token)
  })

  it('keeps the digest alone', async () => {
    const owner = await tokenOwner(world)
    const { token } = await owner.token('tasks:read')
    const rows = await world.sql`select * from api_tokens where user_id = ${owner.id}`
    expect(JSON.stringify(rows)).not.toContain(token.slice(4))
  })

  it('refuses what is no token of a program', async () => {
    const owner = await tokenOwner(world)
    const scopes = ['tasks:read']
    for (const [json, path] of [
      [{ scopes }, 'name'],
      [{ name: '', scopes }, 'name'],
      [{ name: 'a'.repeat(101), scopes }, 'name'],
      [{ name: 'Reader', scopes: [] }, 'scopes'],
      [{ name: 'Reader', scopes: ['full'] }, 'scopes.0'],
      [{ name: 'Reader', scopes, expires_in_days: 367 }, 'expires_in_days'],
      [{ name: 'Reader', scopes, expires_in_days: 0 }, 'expires_in_days'],
    ] as const) {
      const { status, body } = await owner.make(json)
      expect([json, status, body]).toMatchObject([json, 422, { errors: [{ path }] }])
    }
  })

  it('makes one of a name, however many ask at once', async () => {
    const owner = await tokenOwner(world)
    const json = { name: 'Assistant', scopes: ['tasks:read'] }
    const answers = await Promise.all(Array.from({ length: 5 }, () => owner.make(json)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: 'token.name_taken',
      errors: [{ path: 'name' }],
    })
    expect((await (await tokenOwner(world)).make(json)).status).toBe(201)
  })

  it('makes no more than a person can look after', async () => {
    const owner = await tokenOwner(world)
    for (let nth = 0; nth < MAX_API_TOKENS; nth += 1) await owner.token('tasks:read')
    const more = await owner.make({ name: 'One more', scopes: ['tasks:read'] })
    expect([more.status, more.body.code]).toEqual([409, 'token.too_many'])
  })

  it('makes none for another token, which would outlive it', async () => {
    const owner = await tokenOwner(world)
    const { token } = await owner.token('account:write')
    const got = await world.call(createApiToken, { token, json: { name: 'Child', scopes: ['tasks:read'] } })
    expect([got.status, got.body.code]).toEqual([403, 'auth.forbidden'])
  })

  it('is over when its time is, and leaves its name and its place to another', async () => {
    const daybook = await identityWorld()
    const owner = await tokenOwner(daybook)
    const json = { name: 'Short', scopes: ['tasks:read'], expires_in_days: 1 }
    const { body } = await owner.make(json)
    for (let nth = 1; nth < MAX_API_TOKENS; nth += 1) await owner.token('tasks:read')
    const use = async () => (await daybook.call(listTasks, { token: body.token })).status
    daybook.clock.advance(DAY_MS - 1)
    expect(await use()).toBe(200)
    daybook.clock.advance(1)
    expect(await use()).toBe(401)
    const session = await owner.signIn()
    const list = await daybook.call<ApiTokenList>(listApiTokens, { token: session })
    expect(list.body.items).toHaveLength(MAX_API_TOKENS - 1)
    expect((await daybook.call(createApiToken, { token: session, json })).status).toBe(201)
  })

  it('does not outlive a new password', async () => {
    const owner = await tokenOwner(world)
    const { token } = await owner.token('tasks:read')
    expect((await world.call(listTasks, { token })).status).toBe(200)
    await world.call(changePassword, {
      token: owner.session,
      json: { old_password: owner.password, new_password: 'another horse battery staple' },
    })
    expect((await world.call(listTasks, { token })).status).toBe(401)
    expect((await world.call(getMe, { token: owner.session })).status).toBe(200)
  })
})

import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import { oauthClient, redirected, REDIRECT } from '../../testing/worlds/oauth-client.ts'
import { loadFunctions } from '../main.ts'
import createTask from '../tasks/create-task.ts'
import getMe from './get-me.ts'
import listSessions from './list-sessions.ts'
import refreshSession from './refresh-session.ts'

const world = await identityWorld({ OUTBOUND_ALLOW: '127.0.0.1/32' })
const app = mountFunctions(await loadFunctions(), world.deps)
const client = await oauthClient(app)

async function codeOf(owner: { email: string; password: string }, scope = ['tasks:read', 'tasks:write']) {
  const { email, password } = owner
  return redirected(await client.decide({ decision: 'allow', scope, email, password })).code!
}
const exchange = (code: string, over: Record<string, string> = {}) =>
  client.token({
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    code_verifier: client.verifier,
    ...over,
  })

describe('POST /oauth/token', () => {
  it('opens a session of the program, which may do what its user has allowed and nothing else', async () => {
    const owner = await tokenOwner(world)
    const { status, body } = await exchange(await codeOf(owner))
    expect([status, body]).toEqual([
      200,
      {
        access_token: expect.any(String) as string,
        token_type: 'Bearer',
        expires_in: 900,
        refresh_token: expect.stringMatching(/^dbr_/) as string,
        scope: 'tasks:read tasks:write',
      },
    ])
    const token = body.access_token!
    expect((await world.call(createTask, { token, json: { title: 'Pay rent' } })).status).toBe(201)
    expect((await world.call(getMe, { token })).status).toBe(403)
    expect((await world.eventsOf(owner.id)).at(-1)).toMatchObject({
      type: 'task.created',
      data: { actor: { type: 'agent', on_behalf_of: owner.id } },
    })
    const { body: sessions } = await world.call(listSessions, { token: owner.session })
    expect(sessions.items).toContainEqual(
      expect.objectContaining({ client_id: client.id, scopes: ['tasks:read', 'tasks:write'] }),
    )
  })

  it('gives the next tokens for a refresh token, once, with no more rights, whoever asks', async () => {
    const { body: first } = await exchange(await codeOf(await tokenOwner(world), ['tasks:read']))
    const refresh = { grant_type: 'refresh_token', refresh_token: first.refresh_token! }
    expect((await client.token({ ...refresh, client_id: 'https://else.example/c' })).body.error).toBe(
      'invalid_grant',
    )
    const { status, body: second } = await client.token(refresh)
    expect([status, second.scope]).toEqual([200, 'tasks:read'])
    expect(second.refresh_token).not.toBe(first.refresh_token)
    const elsewhere = await world.call<SignedIn>(refreshSession, {
      json: { refresh_token: second.refresh_token },
    })
    const token = elsewhere.body.access_token
    expect((await world.call(createTask, { token, json: { title: 'Pay rent' } })).status).toBe(403)
    world.clock.advance(61_000)
    expect((await client.token(refresh)).body.error).toBe('invalid_grant')
    expect((await world.call(createTask, { token, json: { title: 'Pay rent' } })).status).toBe(401)
  })

  it('takes a code once, and ends what was opened with it when it comes again', async () => {
    const code = await codeOf(await tokenOwner(world))
    const { body } = await exchange(code)
    const again = await exchange(code)
    expect([again.status, again.body.error]).toEqual([400, 'invalid_grant'])
    expect((await world.call(createTask, { token: body.access_token!, json: { title: 'a' } })).status).toBe(
      401,
    )
  })

  it('opens one session, however many come with a code at once', async () => {
    const code = await codeOf(await tokenOwner(world))
    const answers = await Promise.all(Array.from({ length: 5 }, () => exchange(code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('refuses a code that is late, forged, or of another client, address or verifier', async () => {
    const owner = await tokenOwner(world)
    for (const [over, error] of [
      [{ code_verifier: 'another' }, 'invalid_grant'],
      [{ redirect_uri: 'https://agent.example/' }, 'invalid_grant'],
      [{ client_id: 'https://else.example/client.json' }, 'invalid_grant'],
      [{ code: 'a.b' }, 'invalid_grant'],
      [{ resource: 'https://else.example' }, 'invalid_target'],
      [{ grant_type: 'password' }, 'unsupported_grant_type'],
    ] as const) {
      const { status, body } = await exchange(await codeOf(owner), over)
      expect([over, status, body.error]).toEqual([over, 400, error])
    }
    const code = await codeOf(owner)
    world.clock.advance(60_000)
    expect((await exchange(code)).body.error).toBe('invalid_grant')
    expect((await client.token({ grant_type: 'authorization_code' })).body.error).toBe('invalid_request')
  })
})

describe('a client of /mcp', () => {
  const call = async (token: string | null, name: string, args: object) =>
    app.request('/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: args },
      }),
    })

  it('is told where to ask for a token, and for which', async () => {
    const answer = await call(null, 'list_tasks', {})
    const told = answer.headers.get('www-authenticate')
    expect([answer.status, told]).toEqual([401, expect.stringContaining('scope="') as string])
    const [, url] = /resource_metadata="([^"]+)"/.exec(told!)!
    expect(url).toBe('https://daybook.example/.well-known/oauth-protected-resource/mcp')
    const resource = (await (await app.request(new URL(url!).pathname)).json()) as Record<string, string[]>
    expect(resource).toMatchObject({
      resource: 'https://daybook.example/mcp',
      authorization_servers: ['https://daybook.example'],
    })
    const server = (await (await app.request('/.well-known/oauth-authorization-server')).json()) as object
    expect(server).toMatchObject({
      issuer: 'https://daybook.example',
      authorization_endpoint: 'https://daybook.example/oauth/authorize',
      token_endpoint: 'https://daybook.example/oauth/token',
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      client_id_metadata_document_supported: true,
    })
  })

  it('is told which scopes to ask for when it lacks one', async () => {
    const { body } = await exchange(await codeOf(await tokenOwner(world), ['tasks:read']))
    expect((await call(body.access_token!, 'list_tasks', {})).status).toBe(200)
    const answer = await call(body.access_token!, 'add_task', { title: 'Pay rent' })
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringMatching(
        /error="insufficient_scope", resource_metadata=".*", scope="tasks:read tasks:write"/,
      ) as string,
    ])
  })
})

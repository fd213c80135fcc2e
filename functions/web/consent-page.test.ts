import { describe, expect, it } from 'vitest'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import { tokenOwner } from '../../testing/worlds/api-tokens.ts'
import { oauthClient, redirected, REDIRECT } from '../../testing/worlds/oauth-client.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { loadFunctions } from '../main.ts'

const world = await identityWorld({ OUTBOUND_ALLOW: '127.0.0.1/32' })
const app = mountFunctions(await loadFunctions(), world.deps)
const client = await oauthClient(app)
const iss = 'https://daybook.example'

describe('the consent page', () => {
  it('says who asks for what, and where the answer goes, and nothing that a program says is more than text', async () => {
    const answer = await client.look()
    const text = await answer.text()
    expect(answer.status).toBe(200)
    expect(text).toContain('Agent &lt;b&gt;Smith&lt;/b&gt;')
    expect(text).toContain(new URL(client.id).host)
    expect(text).toContain('agent.example')
    expect(text.match(/name="scope" value="[\w:]+"/g)).toEqual([
      'name="scope" value="tasks:read"',
      'name="scope" value="tasks:write"',
    ])
    expect(answer.headers.get('content-security-policy')).toContain(
      "form-action 'self' https://agent.example;",
    )
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  })

  it('sends back a code for whoever shows the password, and for no other', async () => {
    const { email, password } = await tokenOwner(world)
    const allow = { decision: 'allow', scope: ['tasks:read'], email }
    const wrong = await client.decide({ ...allow, password: 'not the password' })
    expect([wrong.status, await wrong.text()]).toEqual([
      401,
      expect.stringContaining('Wrong email') as string,
    ])
    expect((await client.decide({ ...allow, password: '' })).status).toBe(401)
    const right = await client.decide({ ...allow, password })
    expect([right.status, redirected(right)]).toEqual([
      303,
      { to: REDIRECT, code: expect.any(String) as string, state: 'of the client', iss },
    ])
  })

  it('sends back that it was denied, or that nothing was allowed', async () => {
    const { email, password } = await tokenOwner(world)
    for (const fields of [{ decision: 'deny' }, { decision: 'allow', email, password }] as const) {
      expect(redirected(await client.decide(fields))).toEqual({
        to: REDIRECT,
        error: 'access_denied',
        state: 'of the client',
        iss,
      })
    }
  })

  it('sends back what a request lacks', async () => {
    for (const [query, error] of [
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge: 'short' }, 'invalid_request'],
      [{ response_type: 'token' }, 'invalid_request'],
      [{ resource: 'https://other.example/mcp' }, 'invalid_target'],
    ] as const) {
      expect(redirected(await client.look(query))).toMatchObject({ to: REDIRECT, error, iss })
    }
    expect((await client.look({ resource: `${iss}/mcp` })).status).toBe(200)
  })

  it('sends nobody to an address that the program has not registered', async () => {
    for (const redirect_uri of [
      'https://evil.example/',
      `${REDIRECT}/more`,
      `${REDIRECT}#`,
      'javascript:alert(1)',
    ]) {
      const answer = await client.look({ redirect_uri })
      expect([redirect_uri, answer.status, answer.headers.get('location')]).toEqual([redirect_uri, 422, null])
    }
  })

  it('takes any port of this machine, and warns where that is all there is', async () => {
    const local = await oauthClient(app, { redirect_uris: ['http://127.0.0.1/callback'] })
    const answer = await local.look({ redirect_uri: 'http://127.0.0.1:61234/callback' })
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining('Any program on your device') as string,
    ])
    expect((await local.look({ redirect_uri: 'http://127.0.0.1:61234/other' })).status).toBe(422)
  })

  it('knows a program by its document alone', async () => {
    const other = await oauthClient(app, { client_id: 'https://else.example/client.json' })
    const secret = await oauthClient(app, { token_endpoint_auth_method: 'client_secret_basic' })
    for (const answer of [
      await other.look(),
      await secret.look(),
      await client.look({ client_id: 'https://169.254.169.254/client.json' }),
      await client.look({ client_id: 'file:///etc/passwd' }),
      await client.look({ client_id: 'http://127.0.0.1:1/client.json' }),
    ])
      expect([answer.status, answer.headers.get('location')]).toEqual([422, null])
  })
})

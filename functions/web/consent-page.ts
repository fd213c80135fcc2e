import type { Context } from 'hono'
import { html } from 'hono/html'
import { letClientIn } from '../../shared/app/auth/oauth/let-client-in.ts'
import { loadClient } from '../../shared/app/auth/oauth/load-client.ts'
import type { DepsOf } from '../../shared/app/capabilities.ts'
import {
  askedScopes,
  AuthorizationRequest,
  isLoopback,
  isRegistered,
  type OauthClient,
} from '../../shared/domain/auth/oauth.ts'
import { mcpUrl, oauthIssuer } from '../../shared/domain/auth/oauth-metadata.ts'
import { MailAddress, password } from '../../shared/domain/auth/identity.ts'
import { DomainError, invalidField } from '../../shared/domain/errors.ts'
import { SCOPES, type Scope } from '../../shared/domain/scopes.ts'
import { authCall } from '../../shared/kit/edge/client-address.ts'
import { page } from '../../shared/kit/edge/page.ts'
import { statusOf } from '../../shared/kit/problem.ts'
import { onlyOne, readQuery } from '../../shared/kit/request.ts'
import { routesFunction } from '../../shared/kit/routes-function.ts'

const USES = ['identity', 'clients', 'events'] as const
type ConsentDeps = DepsOf<typeof USES>

const TITLE = 'Let a program in'

// Nobody is signed in by a cookie here: whoever lets a program in shows the password with it, so no page of others can do it for them.
export default routesFunction({
  serves: ['GET /oauth/authorize', 'POST /oauth/authorize'],
  uses: USES,
  routes: (app, deps) => {
    app.get('/oauth/authorize', (c) =>
      answer(deps, c, async (asked) => consent(c, asked, { status: 200, told: null })),
    )
    app.post('/oauth/authorize', (c) => answer(deps, c, (asked) => decide(deps, c, asked)))
  },
})

interface Asked {
  client: OauthClient
  redirectUri: string
  request: { code_challenge: string; state?: string | undefined }
  scopes: Scope[]
  issuer: string
}

/** Whoever cannot be told apart from a stranger, or has no address of its own, gets a page; others their answer by a redirect. */
async function answer(
  deps: ConsentDeps,
  c: Context,
  work: (asked: Asked) => Promise<Response>,
): Promise<Response> {
  c.get('requestLimit').ofAddress()
  const issuer = oauthIssuer(deps.settings)
  const query = Object.fromEntries(
    Object.entries(readQuery(c)).map(([name, texts]) => [name, onlyOne(name, texts)]),
  )
  try {
    const client = await loadClient(deps, query.client_id ?? '')
    const redirectUri = query.redirect_uri ?? ''
    if (!isRegistered(client, redirectUri)) {
      throw invalidField('redirect_uri', 'is none of those that the client has registered')
    }
    const request = AuthorizationRequest.safeParse(query)
    const { resource, state } = query
    if (!request.success) return redirect(c, { redirectUri, issuer }, { error: 'invalid_request', state })
    if (resource !== undefined && resource !== mcpUrl(issuer) && resource !== issuer) {
      return redirect(c, { redirectUri, issuer }, { error: 'invalid_target', state })
    }
    const scopes = askedScopes(request.data.scope)
    return await work({ client, redirectUri, request: request.data, scopes, issuer })
  } catch (error) {
    if (!(error instanceof DomainError) || statusOf(error.code) >= 500) throw error
    return page(c, { title: TITLE, content: html`<p>${error.message}</p>`, status: statusOf(error.code) })
  }
}

async function decide(deps: ConsentDeps, c: Context, asked: Asked): Promise<Response> {
  const { client, redirectUri, request, scopes, issuer } = asked
  const form = await c.req.parseBody({ all: true })
  const { state } = request
  if (form.decision !== 'allow') return redirect(c, asked, { error: 'access_denied', state })
  const chosen = scopes.filter((scope) => [form.scope].flat().includes(scope))
  if (chosen.length === 0) return redirect(c, asked, { error: 'access_denied', state })
  const email = MailAddress.safeParse(form.email)
  const secret = password.safeParse(form.password)
  if (!email.success || !secret.success)
    return consent(c, asked, { status: 422, told: 'Enter your address and password.' })
  try {
    const code = await letClientIn(
      deps,
      authCall(deps, c),
      { email: email.data, password: secret.data },
      { client, redirectUri, challenge: request.code_challenge, scopes: chosen },
    )
    return redirect(c, { redirectUri, issuer }, { code, state })
  } catch (error) {
    if (!(error instanceof DomainError) || statusOf(error.code) >= 500) throw error
    if (error.retryAfterSeconds !== undefined) c.header('retry-after', String(error.retryAfterSeconds))
    return consent(c, asked, { status: statusOf(error.code), told: error.message })
  }
}

/** RFC 9207: who answers is part of it. */
function redirect(
  c: Context,
  { redirectUri, issuer }: Pick<Asked, 'redirectUri' | 'issuer'>,
  said: Record<string, string | undefined>,
): Response {
  const url = new URL(redirectUri)
  for (const [name, value] of Object.entries({ ...said, iss: issuer })) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return c.redirect(url.href, 303)
}

async function consent(
  c: Context,
  { client, redirectUri, scopes }: Asked,
  { status, told }: { status: number; told: string | null },
): Promise<Response> {
  const target = new URL(redirectUri)
  const onlyHere = client.redirectUris.every(isLoopback)
  const content = html`<p>
      <strong>${client.name}</strong>, as it calls itself, of <strong>${new URL(client.id).host}</strong>,
      asks to use your Daybook. Your answer goes to
      <strong>${target.protocol === 'https:' ? target.host : target.href}</strong>.
    </p>
    ${
      onlyHere
        ? html`<p>
            Any program on your device can pass for this one. Go on only if you have just started it yourself.
          </p>`
        : ''
    }
    ${told === null ? '' : html`<p role="alert"><strong>${told}</strong></p>`}
    <form method="post">
      <fieldset>
        <legend>It may</legend>
        ${scopes.map(
          (scope) =>
            html`<div>
              <label><input type="checkbox" name="scope" value="${scope}" checked /> ${SCOPES[scope]}</label>
            </div>`,
        )}
      </fieldset>
      <p>
        <label>Mail address <input type="email" name="email" autocomplete="username" required /></label>
      </p>
      <p>
        <label
          >Password <input type="password" name="password" autocomplete="current-password" required
        /></label>
      </p>
      <button name="decision" value="allow">Allow</button>
      <button name="decision" value="deny" formnovalidate>Deny</button>
    </form>
    <p>You can end this at any time, where your sessions are.</p>`
  const leadsTo =
    target.protocol === 'https:' || target.protocol === 'http:' ? target.origin : target.protocol
  return page(c, { title: TITLE, content, status, leadsTo })
}

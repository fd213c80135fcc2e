import type { Context } from 'hono'
import { exchangeCode, refreshClient } from '../../shared/app/auth/oauth/issue-tokens.ts'
import { OauthError } from '../../shared/domain/auth/oauth.ts'
import { mcpUrl, oauthIssuer } from '../../shared/domain/auth/oauth-metadata.ts'
import { authCall } from '../../shared/kit/edge/client-address.ts'
import { routesFunction } from '../../shared/kit/routes-function.ts'

// Forms and errors as RFC 6749 has them, which no other function takes or makes.
export default routesFunction({
  serves: ['POST /oauth/token'],
  uses: ['identity', 'events'],
  routes: (app, deps) => {
    app.post('/oauth/token', async (c) => {
      c.get('requestLimit').ofAddress()
      const issuer = oauthIssuer(deps.settings)
      try {
        const form = await readForm(c)
        const resource = form.optional('resource')
        if (resource !== undefined && resource !== mcpUrl(issuer) && resource !== issuer) {
          throw new OauthError('invalid_target', `The resource is ${mcpUrl(issuer)}.`)
        }
        const { signedIn, scopes } = await grant(form)
        const { access_token, token_type, expires_in, refresh_token } = signedIn
        return c.json({ access_token, token_type, expires_in, refresh_token, scope: scopes.join(' ') })
      } catch (error) {
        if (!(error instanceof OauthError)) throw error
        return c.json({ error: error.code, error_description: error.message }, 400)
      }

      function grant(form: Form) {
        const clientId = form.get('client_id')
        switch (form.get('grant_type')) {
          case 'authorization_code':
            return exchangeCode(deps, authCall(deps, c), {
              clientId,
              code: form.get('code'),
              redirectUri: form.get('redirect_uri'),
              verifier: form.get('code_verifier'),
            })
          case 'refresh_token':
            return refreshClient(deps, authCall(deps, c), {
              clientId,
              refreshToken: form.get('refresh_token'),
            })
          default:
            throw new OauthError('unsupported_grant_type', 'Use authorization_code or refresh_token.')
        }
      }
    })
  },
})

type Form = Awaited<ReturnType<typeof readForm>>

async function readForm(c: Context) {
  const fields = await c.req.parseBody({ all: true })
  const optional = (name: string): string | undefined => {
    const value = fields[name]
    if (value !== undefined && typeof value !== 'string') {
      throw new OauthError('invalid_request', `${name} is given more than once.`)
    }
    return value
  }
  const get = (name: string): string => {
    const value = optional(name)
    if (value === undefined) throw new OauthError('invalid_request', `${name} is missing.`)
    return value
  }
  return { optional, get }
}

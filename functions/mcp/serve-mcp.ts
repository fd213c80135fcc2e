import { KEEP_ANSWERS_MS } from '../../shared/app/commit-decision.ts'
import { hasOauth, resourceMetadataUrl } from '../../shared/domain/auth/oauth-metadata.ts'
import { DomainError } from '../../shared/domain/errors.ts'
import { SCOPES, type Scope } from '../../shared/domain/scopes.ts'
import { answerTaken } from '../../shared/kit/edge/answer-taken.ts'
import { askFunction } from '../../shared/kit/edge/ask-function.ts'
import { isOwnPage } from '../../shared/kit/edge/own-page.ts'
import { signInByToken } from '../../shared/kit/edge/sign-in.ts'
import { createTurns } from '../../shared/kit/edge/turns.ts'
import { routesFunction } from '../../shared/kit/routes-function.ts'
import type { McpCaller } from '../../shared/mcp/mcp-server.ts'
import type { Tool } from '../../shared/mcp/tool.ts'

/** Of a user, until the client has taken the answer, as at the gateway. */
const MAX_AT_ONCE = 8

// Tools call the functions' own handlers in this app, where the gateway passes on what other units serve.
export default routesFunction({
  serves: ['GET /mcp', 'POST /mcp', 'DELETE /mcp'],
  uses: ['identity', 'tasks'],
  routes: (app, deps) => {
    const { settings } = deps
    const inTurn = createTurns(MAX_AT_ONCE, deps.startTimer)
    app.on(['GET', 'POST', 'DELETE'], '/mcp', async (c) => {
      if (!isOwnPage(settings, c)) {
        throw new DomainError(
          'auth.forbidden',
          'This is for no page of another origin (CORS_ORIGINS), nor by another name than that of PUBLIC_URL or localhost.',
        )
      }
      const { userId, view, scopes, clientId } = await signInByToken(c, deps).catch((error: unknown) => {
        throw challenged(error, settings, Object.keys(SCOPES))
      })
      const { serveMcp, ...rendered } = await load()
      const now = () => deps.clock.now()
      let missing: Scope | undefined
      const caller = {
        ...rendered,
        ask: askFunction(app, c),
        userId,
        principal: view.id,
        scopes,
        now,
        onFailure: (err: unknown) =>
          deps.log.error({ request_id: c.get('requestId'), err }, 'failed to call a tool'),
        onMissingScope: (scope: Scope) => (missing = scope),
        forgetAnswer: (key: string, answeredUntil: Date) =>
          deps.changes.forgetAnswer(userId, key, new Date(answeredUntil.getTime() + KEEP_ANSWERS_MS)),
      } satisfies McpCaller
      const answer = await inTurn(
        userId,
        1,
        () => serveMcp(c.req.raw, caller),
        () => answerTaken(c),
      )
      if (missing === undefined || clientId === undefined) return answer
      // A client that was let in then asks its user for more; with an API token a model reads the result.
      const refusal = new DomainError('auth.insufficient_scope', `This requires the scope ${missing}.`)
      throw challenged(refusal, settings, [...scopes, missing])
    })
  },
})

/** Says in a refusal where a client finds out how to get a token, and for what (RFC 9728 §5.1). */
function challenged(error: unknown, { issuer }: { issuer: string }, scopes: readonly string[]): unknown {
  // Of other refusals it would lose what they say, such as Retry-After.
  if (!(error instanceof DomainError) || !error.code.startsWith('auth.') || !hasOauth(issuer)) return error
  const challenge = `resource_metadata="${resourceMetadataUrl(issuer)}", scope="${scopes.join(' ')}"`
  return new DomainError(error.code, error.message, { challenge, cause: error })
}

/** With the first request: a process that starts for another one need not read them. */
async function load() {
  const [{ default: rendered }, { serveMcp }] = await Promise.all([
    import('../../docs/mcp-tools.json', { with: { type: 'json' } }),
    import('../../shared/mcp/serve-mcp.ts'),
  ])
  return { tools: rendered.tools as unknown as readonly Tool[], version: rendered.version, serveMcp }
}

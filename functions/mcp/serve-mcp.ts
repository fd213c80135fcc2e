import { DomainError } from '../../shared/domain/errors.ts'
import { askFunction } from '../../shared/kit/edge/ask-function.ts'
import { isOwnPage } from '../../shared/kit/edge/own-page.ts'
import { signInByToken } from '../../shared/kit/edge/sign-in.ts'
import { routesFunction } from '../../shared/kit/routes-function.ts'
import type { Tool } from '../../shared/mcp/tool.ts'

// Tools call the functions' own handlers in this app, where the gateway passes on what other units serve.
export default routesFunction({
  serves: ['GET /mcp', 'POST /mcp', 'DELETE /mcp'],
  uses: ['identity', 'tasks'],
  routes: (app, deps) => {
    app.on(['GET', 'POST', 'DELETE'], '/mcp', async (c) => {
      if (!isOwnPage(deps.settings, c)) {
        throw new DomainError(
          'auth.forbidden',
          'This is not for pages of other origins, nor for other hosts.',
        )
      }
      const { userId, view, scopes } = await signInByToken(c, deps)
      const { serveMcp, ...rendered } = await load()
      const now = () => deps.clock.now()
      return serveMcp(c.req.raw, {
        ...rendered,
        ask: askFunction(app, c),
        userId,
        principal: view.id,
        scopes,
        now,
        onFailure: (err) => deps.log.error({ request_id: c.get('requestId'), err }, 'failed to call a tool'),
        isAnswered: async (key) => (await deps.changes.storedAnswer(userId, key, now())) !== null,
      })
    })
  },
})

/** With the first request: a process that starts for another one need not read them. */
async function load() {
  const [{ default: rendered }, { serveMcp }] = await Promise.all([
    import('../../docs/mcp-tools.json', { with: { type: 'json' } }),
    import('../../shared/mcp/serve-mcp.ts'),
  ])
  return { tools: rendered.tools as unknown as readonly Tool[], version: rendered.version, serveMcp }
}

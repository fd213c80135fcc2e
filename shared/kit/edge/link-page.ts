import type { Context } from 'hono'
import { html } from 'hono/html'
import type { Capability, DepsOf } from '../../app/capabilities.ts'
import { DomainError } from '../../domain/errors.ts'
import type { AppEnv } from '../base-app.ts'
import { page } from './page.ts'
import { statusOf } from '../problem.ts'
import { onlyOne, readQuery } from '../request.ts'
import { routesFunction, type RoutesFunction } from '../routes-function.ts'

interface LinkPage<Uses extends readonly Capability[]> {
  uses: Uses
  title: string
  question: string
  /** What a field for a new password is called, where the page has one. */
  password?: string
  button: string
  done: string
  /** Throws a DomainError, which the page tells; doing it twice is doing it once. */
  act: (deps: DepsOf<Uses>, token: string, c: Context<AppEnv>, password: string) => Promise<void>
}

/**
 * The page of a link in a mail, without a script. Looking at it does nothing, because mail servers and browsers look at links
 * before people do; its button posts to the same address.
 */
export function linkPage<const Uses extends readonly Capability[]>(
  path: `/${string}`,
  { uses, title, question, password, button, done, act }: LinkPage<Uses>,
): RoutesFunction {
  const tokenOf = (c: Context) => onlyOne('token', readQuery(c).token ?? [])
  const field =
    password &&
    html`<p>
      <label
        >${password} <input type="password" name="password" autocomplete="new-password" required
      /></label>
    </p>`
  const form = html`<p>${question}</p>
    <form method="post">${field}<button>${button}</button></form>`

  return routesFunction({
    serves: [`GET ${path}`, `POST ${path}`],
    uses,
    routes: (app, deps) => {
      app.get(path, (c) => {
        c.get('requestLimit').ofAddress()
        return page(c, { title, content: form, status: 200 })
      })
      app.post(path, async (c) => {
        c.get('requestLimit').ofAddress()
        try {
          await act(deps, tokenOf(c), c, password ? await readPassword(c) : '')
          return page(c, { title, content: html`<p>${done}</p>`, status: 200 })
        } catch (error) {
          const status = error instanceof DomainError ? statusOf(error.code) : 500
          if (!(error instanceof DomainError) || status >= 500) throw error
          if (error.retryAfterSeconds !== undefined) c.header('retry-after', String(error.retryAfterSeconds))
          const told = html`<p>${error.errors[0]?.message ?? error.message}</p>`
          return page(c, { title, content: status === 422 ? html`${told}${form}` : told, status })
        }
      })
    },
  })
}

async function readPassword(c: Context): Promise<string> {
  const { password } = await c.req.parseBody()
  return typeof password === 'string' ? password : ''
}

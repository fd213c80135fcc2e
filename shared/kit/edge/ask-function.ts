import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import type { AppEnv } from '../base-app.ts'

/** What a client's request says of who asks, from where: it is true of what is asked for it. */
const PASSED_ON = ['authorization', 'user-agent', 'x-forwarded-for', 'x-forwarded-proto', 'dapr-api-token']

interface Asked {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

/**
 * Asks a function in the name of whoever sent the request `c`, by the app that serves both, or passes on what other units serve: with
 * the login, the turns and the checks of every request, but counted as part of `c`, and given up with it. The answer is read here,
 * so that nobody waits for the client to take it.
 */
export function askFunction(app: Hono<AppEnv>, c: Context<AppEnv>): (asked: Asked) => Promise<Response> {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>
  const passed = PASSED_ON.flatMap((name) => {
    const value = c.req.header(name)
    return value === undefined ? [] : [[name, value]]
  })
  const headers = {
    ...(Object.fromEntries(passed) as Record<string, string>),
    traceparent: c.get('trace').traceparent,
  }
  return async ({ path, ...asked }) =>
    app.request(
      path,
      { ...asked, headers: { ...headers, ...asked.headers }, signal: c.req.raw.signal },
      { incoming, isAsked: true },
    )
}

/** Whether the request is one of these; what the client sent has been counted then. */
export const isAsked = (c: Context): boolean => (c.env as { isAsked?: true } | undefined)?.isAsked === true

import { Hono } from 'hono'
import { expect, it } from 'vitest'
import type { AppEnv } from '../base-app.ts'
import { askFunction } from './ask-function.ts'

it('gives up what it has asked when the client has left', async () => {
  const app = new Hono<AppEnv>()
  const [begun, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  app.get('/changes', async (c) => {
    c.req.raw.signal.addEventListener('abort', () => left.resolve())
    begun.resolve()
    await left.promise
    return c.text('')
  })
  app.post('/mcp', async (c) => {
    c.set('trace', { traceparent: '', tracestate: null })
    return askFunction(app, c)({ method: 'GET', path: '/changes', headers: {} })
  })
  const client = new AbortController()
  const asked = app.request('/mcp', { method: 'POST', signal: client.signal })
  await begun.promise
  client.abort()
  await left.promise
  expect((await asked).ok).toBe(true)
})

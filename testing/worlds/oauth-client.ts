import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Hono } from 'hono'
import { afterAll } from 'vitest'

export const REDIRECT = 'https://agent.example/callback'

/** A program with a document at an address of this machine, which speaks with an app as its user's browser and by itself. */
export async function oauthClient(app: Pick<Hono, 'request'>, over: object = {}) {
  let id = ''
  const server = createServer((_, answer) => {
    const document = { client_id: id, client_name: 'Agent <b>Smith</b>', redirect_uris: [REDIRECT], ...over }
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => void server.close())
  id = `http://127.0.0.1:${(server.address() as AddressInfo).port}/client.json`

  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const form = (fields: Record<string, string | string[]>) => {
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(fields))
      for (const each of [value].flat()) body.append(name, each)
    return { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  }
  const address = (query: Record<string, string> = {}) => {
    const asked = {
      response_type: 'code',
      client_id: id,
      redirect_uri: REDIRECT,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'tasks:read tasks:write',
      state: 'of the client',
      ...query,
    }
    return `/oauth/authorize?${new URLSearchParams(asked).toString()}`
  }
  return {
    id,
    verifier,
    look: async (query?: Record<string, string>) => app.request(address(query)),
    decide: async (fields: Record<string, string | string[]>, query?: Record<string, string>) =>
      app.request(address(query), form(fields)),
    token: async (fields: Record<string, string>) => {
      const answer = await app.request('/oauth/token', form({ client_id: id, ...fields }))
      return { status: answer.status, body: (await answer.json()) as Record<string, string> }
    },
  }
}

/** Where a redirect leads, and with what. */
export function redirected(answer: Response): Record<string, string> {
  const url = new URL(answer.headers.get('location') ?? 'none:')
  return {
    to: url.origin + url.pathname,
    ...(Object.fromEntries(url.searchParams) as Record<string, string>),
  }
}

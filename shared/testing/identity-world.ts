import type { Deps } from '../app/ports.ts'
import type { Sql } from '../db/connect.ts'
import { createIdentityStore } from '../db/identity-store.ts'
import { createIdentity, type IdentityParts } from '../kit/create-identity.ts'
import type { HttpFunction } from '../kit/http-function.ts'
import type { OidcIssuer } from '../kit/oidc.ts'
import { systemIds } from '../kit/system.ts'
import { testDatabase } from './database.ts'

/** Enough to be scrypt, and over at once. */
const CHEAP = { N: 16, r: 1, p: 1 }

export interface Got<Body> {
  status: number
  headers: Headers
  body: Body
}

export interface CallOptions {
  json?: unknown
  /** The request's body as it is. */
  raw?: string
  headers?: Record<string, string>
  token?: string
  /** Address of the client's end of the connection. */
  peer?: string
}

/** Identity on a real database, with a clock that stands still until it is moved. */
export interface IdentityWorld extends IdentityParts {
  sql: Sql
  deps: Deps
  /** How often there was something to publish. */
  wakes: () => number
  /** Everything that was logged, as text. */
  logged: () => string
  clock: { now(): Date; advance(ms: number): void }
  call<Body = Record<string, unknown>>(fn: HttpFunction, options?: CallOptions): Promise<Got<Body>>
  eventsOf(userId: string): Promise<{ type: string; data: Record<string, unknown> }[]>
  /** Another process on the same database, with memory of its own. */
  sibling(): IdentityWorld
}

export async function identityWorld(options: { oidc?: OidcIssuer } = {}): Promise<IdentityWorld> {
  return worldOn(await testDatabase({ max: 20 }), options, new Date('2026-11-22T10:00:00.000Z'))
}

function worldOn(sql: Sql, options: { oidc?: OidcIssuer }, start: Date): IdentityWorld {
  let now = start.getTime()
  let wakes = 0
  const lines: string[] = []
  const clock = { now: () => new Date(now), advance: (ms: number) => void (now += ms) }
  const write = (fields: object, message: string) => void lines.push(JSON.stringify([message, fields]))
  const wake = () => void wakes++
  const parts = createIdentity({
    ...{ store: createIdentityStore(sql), clock, ids: systemIds, oidc: options.oidc, fetch },
    ...{ issuer: 'https://daybook.example', audience: 'daybook', onNewcomer: wake, scryptCost: CHEAP },
  })
  const deps = {
    ...{ clock, ids: systemIds, log: { info: write, warn: write, error: write } },
    ...{ identity: parts.identity, authenticate: parts.authenticate },
    settings: { isTrustedProxy: () => false, hasMobilePush: true, appToken: 'app-token' },
    publishing: { wake, state: () => ({ status: 'available', since: clock.now() }) },
  } as unknown as Deps

  return {
    ...{ ...parts, sql, deps, clock },
    wakes: () => wakes,
    logged: () => lines.join('\n'),
    async call(fn, { json, raw, headers, token, peer } = {}) {
      const body = raw ?? (json === undefined ? undefined : JSON.stringify(json))
      const answer = await fn.createApp(deps).request(
        fn.path,
        {
          method: fn.method,
          headers: {
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...headers,
          },
          ...(body !== undefined && { body }),
        },
        { incoming: { socket: { remoteAddress: peer ?? '203.0.113.9' } } },
      )
      const text = await answer.text()
      return {
        ...{ status: answer.status, headers: answer.headers },
        body: (text === '' ? null : JSON.parse(text)) as never,
      }
    },
    eventsOf: async (userId) => {
      const rows = await sql<{ type: string; data: Record<string, unknown> }[]>`
        select type, data from events where user_id = ${userId} order by seq`
      return rows.map(({ type, data }) => ({ type, data }))
    },
    sibling: () => worldOn(sql, options, clock.now()),
  }
}

import type { ComposedDeps } from '../../functions/compose.ts'
import { NEW_USER, type User } from '../../shared/domain/auth/identity.ts'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { resetLink } from '../builders/links.ts'
import { composeDaybook, type TestDaybook } from './compose-daybook.ts'
import { testDaybook } from './test-daybook.ts'

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
  /** Where the function's own has parameters. */
  path?: string
  /** Address of the client's end of the connection. */
  peer?: string
}

/** Functions of identity, each called by itself. */
export interface IdentityWorld
  extends TestDaybook, Pick<ComposedDeps, 'identity' | 'authenticate' | 'prepare'> {
  call<Body = Record<string, unknown>>(fn: HttpFunction, options?: CallOptions): Promise<Got<Body>>
  eventsOf(userId: string): Promise<{ type: string; data: Record<string, unknown> }[]>
  /** The token of a mail to set a password that was asked for now. */
  resetLink(of: { id: string; email: string }): Promise<string>
  /** Does this when the next new password is hashed. */
  whileHashing(meanwhile: () => void): void
  /** Somebody whom an external issuer signs in; one and the same for a subject. */
  external(of?: { subject?: string; email?: string }): Promise<User>
  /** Another process on the same database, with memory of its own. */
  sibling(): IdentityWorld
}

export async function identityWorld(env: Record<string, string> = {}): Promise<IdentityWorld> {
  return worldOf(await testDaybook({ env, start: '2026-11-22T10:00:00.000Z' }), env)
}

function worldOf(daybook: TestDaybook, env: Record<string, string>): IdentityWorld {
  const { identity, authenticate, prepare } = daybook.deps
  return {
    ...daybook,
    identity,
    authenticate,
    prepare,
    async call(fn, { json, raw, headers, token, peer, path = fn.path } = {}) {
      const body = raw ?? (json === undefined ? undefined : JSON.stringify(json))
      const answer = await mountFunctions([fn], daybook.deps).request(
        path,
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
        status: answer.status,
        headers: answer.headers,
        body: (text === '' ? null : JSON.parse(text)) as never,
      }
    },
    resetLink: (of) => resetLink(identity.links, of, daybook.clock.now()),
    whileHashing(meanwhile) {
      const { hash } = identity.passwords
      identity.passwords.hash = async (password, client) => {
        identity.passwords.hash = hash
        meanwhile()
        return hash(password, client)
      }
    },
    async external({ subject = systemIds.uuid(), email } = {}) {
      const now = daybook.clock.now()
      const user = {
        id: systemIds.uuid(),
        email: email ?? null,
        timeZone: 'UTC',
        createdAt: now,
        emailConfirmedAt: email === undefined ? null : now,
        confirmationSentAt: null,
        ...NEW_USER,
      }
      const newcomer = { user, issuedAt: now, tellsEmail: email !== undefined, events: [] }
      const found = await identity.store.userOf('https://issuer.example', subject, newcomer)
      if (!found) throw new Error('the account of this subject was deleted')
      return found
    },
    eventsOf: async (userId) => {
      const rows = await daybook.sql<{ type: string; data: Record<string, unknown> }[]>`
        select type, data from events where user_id = ${userId} order by seq`
      return rows.map(({ type, data }) => ({ type, data }))
    },
    sibling: () =>
      worldOf(composeDaybook(daybook.sql, { env, start: daybook.clock.now().toISOString() }), env),
  }
}

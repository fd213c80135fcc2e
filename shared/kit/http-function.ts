import type { Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import type { Actor, Answer, Deps, WriteContext } from '../app/ports.ts'
import { DomainError, type ErrorCode } from '../domain/errors.ts'
import { bearerToken } from './authenticate.ts'
import { baseApp, type AppEnv } from './base-app.ts'
import { parsePart, readIdempotency, readIfMatch, readJson, readQuery } from './request.ts'

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Input<Auth, Params, Query, Body> {
  params: Parsed<Params>
  query: Parsed<Query>
  body: Parsed<Body>
  actor: Auth extends 'user' ? Actor : undefined
  /** For writes: actor, time, trace, precondition and idempotency key in one, to hand on to the use case. */
  write: Auth extends 'user' ? WriteContext : undefined
  deps: Deps
  context: Context<AppEnv>
}

export interface HttpSpec<Auth extends 'user' | 'none', Params, Query, Body> {
  /** `METHOD /path/:param`. Paths below /api/tasks are also served as /api/:user_id/tasks. */
  route: `${Method} /${string}`
  summary: string
  auth: Auth
  /** Who a ticket stands for. With it, `?ticket=` may take the place of the Authorization header, for live streams. */
  ticket?: (deps: Deps, ticket: string) => Promise<Actor>
  params?: Params
  query?: Query
  body?: Body
  /** Success status; 200 unless said otherwise. */
  status?: 200 | 201 | 202 | 204
  /** Schema of the answer; absent for 204 and for answers that are not JSON. */
  output?: z.ZodType
  /** Of an answer that is a live stream (text/event-stream): the data of its events by name. */
  events?: Readonly<Record<string, z.ZodType>>
  /** True when the write honours Idempotency-Key and, where it has `params` or `isSingleton`, If-Match. */
  retrySafe?: boolean
  /** The path names the only resource of its kind that a user has, so it needs no parameter. */
  isSingleton?: boolean
  /** Refusals of its own, for the API document; those of the kit (login, validation, If-Match …) follow from the rest. */
  refuses?: readonly ErrorCode[]
  /** Where a created resource is. */
  location?: (body: never) => string
  handle: (input: Input<Auth, Params, Query, Body>) => Promise<Answer<unknown> | Response>
}

// eslint-disable-next-line typescript/no-explicit-any -- a list of functions forgets the type of each one's input
export type AnyHttpSpec = HttpSpec<any, any, any, any>

export interface HttpFunction {
  kind: 'http'
  spec: AnyHttpSpec
  method: Method
  path: string
  mount(app: Hono<AppEnv>, deps: Deps): void
  createApp(deps: Deps): Hono<AppEnv>
}

/** One endpoint: validates, authenticates, runs `handle`, answers JSON with an ETag, or a problem document. */
export function httpFunction<
  Auth extends 'user' | 'none',
  Params extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(spec: HttpSpec<Auth, Params, Query, Body>): HttpFunction {
  const [method, path] = spec.route.split(' ') as [Method, string]
  const paths = path.startsWith('/api/tasks') ? [path, path.replace('/api/', '/api/:user_id/')] : [path]

  const mount = (app: Hono<AppEnv>, deps: Deps) =>
    void app.on(method, paths, async (c) => {
      const actor = spec.auth === 'user' ? await signIn(spec, c, deps) : undefined
      const { user_id: pathUser, ...rawParams } = c.req.param() as Record<string, string>
      if (actor && pathUser !== undefined && pathUser.toLowerCase() !== actor.userId) {
        throw new DomainError('auth.forbidden', 'The path names another user than the token.')
      }
      const params = spec.params && parsePart(spec.params, rawParams)
      const query = spec.query && parsePart(spec.query, queryOf(spec, c))
      const json = spec.body && (await readJson(c))
      const idempotency = spec.retrySafe
        ? readIdempotency(c, spec.route, [rawParams, readQuery(c), json?.raw])
        : null
      const body = spec.body && parsePart(spec.body, json?.value)
      const write = actor && {
        actor,
        now: deps.clock.now(),
        trace: c.get('trace'),
        ifMatch:
          spec.retrySafe && (spec.params ?? spec.isSingleton) ? readIfMatch(c.req.header('if-match')) : null,
        idempotency,
      }
      const input = { params, query, body, actor, write, deps, context: c }
      const answer = await spec.handle(input as unknown as Input<Auth, Params, Query, Body>)
      return answer instanceof Response ? answer : respond(c, spec, answer)
    })

  return {
    ...{ kind: 'http', spec, method, path, mount },
    createApp: (deps) => {
      const app = baseApp(deps)
      mount(app, deps)
      return app
    },
  }
}

function signIn({ ticket: redeem }: AnyHttpSpec, c: Context, deps: Deps): Promise<Actor> {
  const ticket = redeem && c.req.header('authorization') === undefined ? readQuery(c).ticket : undefined
  if (redeem && ticket !== undefined) return redeem(deps, ticket)
  const orTicket = redeem ? ', or ?ticket= with one of POST /api/auth/ticket' : ''
  return deps.authenticate(bearerToken(c, orTicket))
}

function queryOf({ ticket: redeem }: AnyHttpSpec, c: Context): Record<string, string> {
  const { ticket, ...others } = readQuery(c)
  return redeem || ticket === undefined ? others : { ...others, ticket }
}

function respond(c: Context, spec: AnyHttpSpec, answer: Answer<unknown>): Response {
  const headers: Record<string, string> = {}
  if (answer.replayed) headers['idempotency-replayed'] = 'true'
  if (spec.status === 204) return c.body(null, 204, headers)
  if (spec.location) headers['location'] = spec.location(answer.body as never)
  if (typeof answer.body === 'object' && answer.body !== null && 'version' in answer.body) {
    const etag = `"${String(answer.body.version)}"`
    headers['etag'] = etag
    if (
      spec.route.startsWith('GET ') &&
      !answer.variesWithTime &&
      matches(c.req.header('if-none-match'), etag)
    ) {
      return c.body(null, 304, headers)
    }
  }
  return c.json(answer.body, (spec.status ?? 200) as ContentfulStatusCode, headers)
}

/** `If-None-Match` compares weakly (RFC 9110 §13.1.2). */
const matches = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag) ?? false

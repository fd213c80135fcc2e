import type { Context, Hono, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import type { Capability, DepsOf } from '../app/capabilities.ts'
import type { AuthCall } from '../app/auth/ports.ts'
import type { Actor, Answer, Deps, Later, WriteContext } from '../app/ports.ts'
import type { LiveEvents } from '../app/sync/ports.ts'
import { DomainError, type ErrorCode } from '../domain/errors.ts'
import { isAllowed, type Scope } from '../domain/scopes.ts'
import { bearerToken } from '../identity/authenticate.ts'
import type { AppEnv } from './base-app.ts'
import { downloadAnswer, type DownloadExtension } from './edge/download-answer.ts'
import { answerTaken } from './edge/answer-taken.ts'
import { MIN_BYTES } from './edge/compress-answers.ts'
import { authCall, fromWhere } from './edge/client-address.ts'
import { signIn } from './edge/sign-in.ts'
import { eventStreamAnswer, eventStreamHead } from '../streams/event-stream-answer.ts'
import { problemResponse } from './problem.ts'
import { queryReader } from './query-values.ts'
import type { ToolSpec } from '../openapi/tool-spec.ts'
import {
  isKnown,
  onlyOne,
  parsePart,
  readIdempotency,
  readJson,
  readPreconditions,
  readQuery,
  refuseFields,
  type QueryTexts,
} from './request.ts'

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Input<Auth, Uses extends readonly Capability[], Params, Query, Body> {
  params: Parsed<Params>
  query: Parsed<Query>
  body: Parsed<Body>
  /** When, in which trace and from where the request came. */
  call: AuthCall
  actor: Auth extends Scope ? Actor : undefined
  /** For writes: actor, time, trace, precondition and idempotency key in one, to hand on to the use case. */
  write: Auth extends Scope ? WriteContext : undefined
  /** Aborted when the client is gone. */
  signal: AbortSignal
  deps: DepsOf<Uses>
}

export interface HttpSpec<
  Auth extends Scope | 'none',
  Uses extends readonly Capability[],
  Params,
  Query,
  Body,
> {
  /** `METHOD /path/:param`. */
  route: `${Method} /${string}`
  /** Other paths of the same. With `:user_id` in one, it is served to that user only. */
  also?: readonly `/${string}`[]
  summary: string
  /** The scope that a token needs, or `none` for what is open to everyone. */
  auth: Auth
  uses: Uses
  /**
   * Whom a ticket stands for. With it, `?ticket=` may take the place of the Authorization header, for live streams. It is
   * used up (`take`) when there is nothing left to refuse, and by no HEAD.
   */
  ticket?: Readonly<Record<'find' | 'take', (deps: DepsOf<Uses>, ticket: string) => Promise<Actor>>>
  params?: Params
  /** Of JSON values; see query-values.ts for how a URL says them. */
  query?: Query
  body?: Body
  /** Success status; 200 unless said otherwise. */
  status?: 200 | 201 | 204
  /** Schema of the answer; absent for 204 and for answers that are not JSON. */
  output?: z.ZodType
  /**
   * Of an answer that is a live stream (text/event-stream): the data of its events by name. The header Last-Event-ID goes before
   * the query's last_event_id.
   */
  events?: Readonly<Record<string, z.ZodType>>
  /**
   * The file that a browser makes of the answer, which comes in pieces of its text. HEAD does not handle it. Of several extensions
   * the query's `format` says which.
   */
  download?: { name: string; extensions: readonly DownloadExtension[] }
  /** Whoever gets a successful answer may keep it; others are kept by nobody (`no-store`), as all refusals. */
  cache?: 'public, max-age=300'
  /** True when the write honours Idempotency-Key and, where it has `params` or `isSingleton`, If-Match and If-None-Match. */
  retrySafe?: boolean
  /** How much of its user's share a request takes while it runs, 1 for a plain read (shared/kit/edge/turns.ts). */
  weight?: number
  /** The path names the only resource of its kind that a user has, so it needs no parameter. */
  isSingleton?: boolean
  /** Refusals of its own, for the API document; those of the kit (login, validation, If-Match …) follow from the rest. */
  refuses?: readonly ErrorCode[]
  /** How agents see it; several where one function is several tools. Without any it is one by its name and summary. */
  tool?: ToolSpec | readonly ToolSpec[]
  /** Why agents have no tool for it. */
  noTool?: string
  /** Where a created resource is. */
  location?: (body: never) => string
  /** A DomainError that is returned is a regular answer; one that is thrown with a 5xx is logged as a failure. */
  handle: (input: Input<Auth, Uses, Params, Query, Body>) => Promise<Handled | Later<unknown>>
}

type Handled = Answer<unknown> | LiveEvents | AsyncGenerator<string> | Response | DomainError

// eslint-disable-next-line typescript/no-explicit-any -- a list of functions forgets the type of each one's input
export type AnyHttpSpec = HttpSpec<any, any, any, any, any>

export interface HttpFunction {
  kind: 'http'
  /** `<service>/<function>`, given by the loader. */
  name: string
  uses: readonly Capability[]
  spec: AnyHttpSpec
  method: Method
  path: string
  /** All paths, that of the route first. */
  paths: readonly string[]
  mount(app: Hono<AppEnv>, deps: Deps): void
}

const NO_PRECONDITIONS = { ifMatch: null, ifNoneMatch: [] }

/** Of a read, which leaves no event. */
const NOWHERE = { address: null, agent: null }
/** A write has a connection of its own to load only; it is committed together with others. */
const WRITE_WEIGHT = 0.5

/** One endpoint: authenticates, validates, runs `handle`, answers JSON with an ETag, or a problem document. */
export function httpFunction<
  Auth extends Scope | 'none',
  const Uses extends readonly Capability[],
  Params extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(spec: HttpSpec<Auth, Uses, Params, Query, Body>): HttpFunction {
  const [method, path] = spec.route.split(' ') as [Method, string]
  const paths = [path, ...(spec.also ?? [])]

  function mount(app: Hono<AppEnv>, deps: Deps): void {
    const readValues = spec.query && queryReader(spec.query)
    const { cache, weight = method === 'GET' ? 1 : WRITE_WEIGHT } = spec
    if (cache) app.on(method, paths, cacheControl(cache))
    app.on(method, paths, async (c) => {
      const actor = await admit(spec, c, deps)
      const { user_id: pathUser, ...rawParams } = c.req.param() as Record<string, string>
      if (actor && pathUser !== undefined && pathUser.toLowerCase() !== actor.userId) {
        throw new DomainError('auth.forbidden', 'The user in the path does not match the token.')
      }
      const params = spec.params && parsePart(spec.params, rawParams)
      const query = spec.query && parsePart(spec.query, readValues?.(queryOf(spec, c)))
      const json = spec.body && (await readJson(c))
      if (!spec.body && method !== 'GET') await refuseFields(c)
      const idempotency = spec.retrySafe
        ? readIdempotency(c, spec.route, [rawParams, readQuery(c), json?.raw])
        : null
      // Most clients send none with DELETE.
      const sent = json?.raw === '' && method === 'DELETE' ? {} : json?.value
      const body = spec.body && parsePart(spec.body, sent)
      const write = actor && {
        actor,
        client: method === 'GET' ? NOWHERE : fromWhere(deps, c),
        now: deps.clock.now(),
        trace: c.get('trace'),
        ...(spec.retrySafe && (spec.params ?? spec.isSingleton) ? readPreconditions(c) : NO_PRECONDITIONS),
        idempotency,
      }
      const input = Object.assign(new LazyCall(deps, c), {
        params,
        query,
        body,
        actor,
        write,
        deps,
      })
      // Its body would be thrown away unread, and a stream that nobody reads ends never.
      if (spec.events && c.req.method === 'HEAD') return eventStreamHead(c)
      if (spec.download && c.req.method === 'HEAD') return downloadAnswer(c, fileOf(spec, query), null)
      const ticket = ticketOf(spec, c)
      const inTurn = turnsOf(c, actor, weight)
      let answer: Handled | Later<unknown> = await inTurn(async () => {
        if (ticket !== null) await spec.ticket?.take(deps, ticket)
        return await spec.handle(input as unknown as Input<Auth, Uses, Params, Query, Body>)
      })
      while ('news' in answer) {
        const later: Later<unknown> = answer
        try {
          await later.news
          await authenticate(spec, c, deps) // the session may have ended meanwhile
          answer = await inTurn(later.answer)
        } catch (error) {
          later.end()
          throw error
        }
      }
      // With the headers that every answer has, which a Response of its own would lack.
      if (answer instanceof Response) return c.newResponse(answer.body, answer)
      if (answer instanceof DomainError) return problemResponse(c, answer)
      if ('subscribe' in answer) return eventStreamAnswer(deps, c, actor ?? { userId: '' }, answer)
      if (Symbol.asyncIterator in answer) return downloadAnswer(c, fileOf(spec, query), answer)
      return respond(c, spec, answer)
    })
  }

  return { kind: 'http', name: '', uses: spec.uses, spec, method, path, paths, mount }
}

/** Most functions ask for neither the client's address and agent nor its end. A getter of an object literal costs more than both. */
class LazyCall {
  readonly #deps: Deps
  readonly #context: Context<AppEnv>

  constructor(deps: Deps, context: Context<AppEnv>) {
    this.#deps = deps
    this.#context = context
  }

  get signal(): AbortSignal {
    return this.#context.req.raw.signal
  }

  get call(): AuthCall {
    return authCall(this.#deps, this.#context)
  }
}

/** Runs works of the request as a part of its user's share, until what they answer is taken. */
const turnsOf =
  (c: Context<AppEnv>, actor: Actor | undefined, weight: number) =>
  <Result extends Handled | Later<unknown>>(work: () => Promise<Result>): Promise<Result> => {
    // What its client does not take stays in memory, and a live stream is none of it.
    const held = (answer: Result) => ('subscribe' in answer || 'news' in answer ? undefined : answerTaken(c))
    return actor ? c.get('inTurn')(actor.userId, weight, work, held) : work()
  }

const cacheControl = (policy: string): MiddlewareHandler =>
  async function cacheControl(c, next) {
    await next()
    if (c.res.ok) c.res.headers.set('cache-control', policy)
  }

/** Counts the request against its user, or against its address when nobody signs in. */
async function admit(spec: AnyHttpSpec, c: Context<AppEnv>, deps: Deps): Promise<Actor | undefined> {
  if (spec.auth === 'none') {
    c.get('requestLimit').ofAddress()
    return undefined
  }
  const actor = await signIn(c, async () => authenticate(spec, c, deps))
  const scope = spec.auth as Scope
  if (isAllowed(actor.scopes, scope)) return actor
  throw new DomainError('auth.insufficient_scope', `This requires a token with the scope ${scope}.`)
}

function authenticate(spec: AnyHttpSpec, c: Context<AppEnv>, deps: Deps): Promise<Actor> {
  const ticket = ticketOf(spec, c)
  if (spec.ticket && ticket !== null) return spec.ticket.find(deps, ticket)
  const orTicket = spec.ticket ? ', or ?ticket= with one of POST /api/auth/ticket' : ''
  return deps.authenticate(bearerToken(c, orTicket), c.get('requestLimit').admitLookup)
}

/** Null where another way of signing in is taken. */
function ticketOf(spec: AnyHttpSpec, c: Context): string | null {
  if (!spec.ticket || c.req.header('authorization') !== undefined) return null
  const { ticket } = readQuery(c)
  return ticket ? onlyOne('ticket', ticket) : null
}

function queryOf(spec: AnyHttpSpec, c: Context): QueryTexts {
  const { ticket, ...others } = readQuery(c)
  // An EventSource that comes back sends it by itself, with the URL it was opened with.
  const lastEvent = spec.events ? c.req.header('last-event-id')?.trim() : undefined
  return {
    ...others,
    ...(lastEvent && { last_event_id: [lastEvent] }),
    ...(!spec.ticket && ticket !== undefined && { ticket }),
  }
}

function fileOf({ download }: AnyHttpSpec, query: unknown): Parameters<typeof downloadAnswer>[1] {
  const { name, extensions } = download!
  const { format } = (query ?? {}) as { format?: DownloadExtension }
  return { name, extension: format ?? extensions[0]! }
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
      isKnown(c.req.header('if-none-match'), etag)
    ) {
      return c.body(null, 304, headers)
    }
  }
  const text = JSON.stringify(answer.body)
  headers['content-type'] = 'application/json'
  // Of others the server counts it; see compress-answers.ts.
  if (text.length >= MIN_BYTES) headers['content-length'] = String(Buffer.byteLength(text))
  return c.body(text, (spec.status ?? 200) as ContentfulStatusCode, headers)
}

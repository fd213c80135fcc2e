import type { Context, Hono } from 'hono'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import type { Capability, DepsOf } from '../../app/capabilities.ts'
import type { Conversation } from '../../app/sync/ports.ts'
import type { Actor, Deps } from '../../app/ports.ts'
import { DomainError } from '../../domain/errors.ts'
import { isAllowed, type Scope } from '../../domain/scopes.ts'
import { bearerToken } from '../../identity/authenticate.ts'
import type { AppEnv } from '../base-app.ts'
import type { SocketBindings } from './accept-sockets.ts'
import { toDomainError } from '../problem.ts'
import { onlyOne, readQuery } from '../request.ts'
import type { RoutesFunction } from '../routes-function.ts'

/** For the message that signs in, where the request did not. */
const SIGN_IN_WITHIN_MS = 10_000
/** Messages that come before it is known who sends them. */
const MAX_EARLY = 20
const REFUSED = [4401, 'not signed in'] as const
const TOO_MANY = [4429, 'too many'] as const

interface SocketSpec<Uses extends readonly Capability[]> {
  /** Each ends in `/ws`. With `:user_id` in one, it is served to that user only. */
  serves: readonly `GET /${string}/ws`[]
  /** The scope that a token needs. */
  auth: Scope
  uses: Uses
  /** Whom a ticket stands for; it is used up. */
  takeTicket: (deps: DepsOf<Uses>, ticket: string) => Promise<Actor>
  converse: (deps: DepsOf<Uses>, actor: Actor) => Conversation
}

const SignIn = z.object({
  type: z.literal('auth'),
  token: z.string().optional(),
  ticket: z.string().optional(),
})

/**
 * Requests that become sockets. Who they are is said by the header, by `?ticket=`, or, since browsers can set no headers, by the
 * first message: `{"type":"auth","token":"…"}`. There are no cookies that a page of somebody else could use.
 */
export function socketFunction<const Uses extends readonly Capability[]>(
  spec: SocketSpec<Uses>,
): RoutesFunction {
  const mount = (app: Hono<AppEnv>, deps: Deps) => {
    const open = opener(spec, deps)
    for (const path of spec.serves) app.get(path.slice('GET '.length), open)
  }
  return { kind: 'routes', name: '', uses: spec.uses, serves: spec.serves, mount }
}

function opener<const Uses extends readonly Capability[]>(spec: SocketSpec<Uses>, deps: Deps) {
  const { streams, startTimer, clock, authenticate } = deps

  async function known(who: Promise<Actor>, c: Context<AppEnv>): Promise<Actor> {
    const actor = await who
    if (!isAllowed(actor.scopes, spec.auth)) {
      throw new DomainError('auth.insufficient_scope', `This requires a token with the scope ${spec.auth}.`)
    }
    const pathUser = c.req.param('user_id')
    if (pathUser !== undefined && pathUser.toLowerCase() !== actor.userId) {
      throw new DomainError('auth.forbidden', 'The user in the path does not match the token.')
    }
    c.set('userId', actor.userId)
    c.get('requestLimit').ofUser(actor.userId)
    return actor
  }
  const ofTicket = (ticket: string) => spec.takeTicket(deps, ticket)

  /** Its reads are a part of its user's share, and its client's messages count as requests. */
  function inTurns(actor: Actor, c: Context<AppEnv>): Conversation {
    const conversation = spec.converse(deps, actor)
    const inTurn = <T>(work: () => Promise<T>) => c.get('inTurn')(actor.userId, 1, work)
    return {
      subscribe: conversation.subscribe,
      next: () => inTurn(conversation.next),
      async take(message) {
        try {
          c.get('requestLimit').ofUser(actor.userId)
          return await inTurn(() => conversation.take(message))
        } catch (error) {
          if (error instanceof DomainError) return [errorMessage(error)]
          throw error
        }
      },
    }
  }

  function begin(socket: WebSocket, actor: Actor, c: Context<AppEnv>): void {
    if (socket.readyState !== socket.OPEN) return // its client left while it was looked who it is
    const connected = { type: 'connected', user_id: actor.userId, server_time: clock.now().toISOString() }
    socket.send(JSON.stringify(connected))
    streams.converse(actor, socket, inTurns(actor, c))
  }

  /** Whoever says something else first, or nothing in time, is nobody. */
  function awaitSignIn(socket: WebSocket, c: Context<AppEnv>): void {
    const callOff = startTimer(() => socket.close(...REFUSED), SIGN_IN_WITHIN_MS)
    const early: [Buffer, boolean][] = []
    const keep = (data: Buffer, isBinary: boolean) => {
      if (early.push([data, isBinary]) > MAX_EARLY) socket.terminate()
    }
    socket.once('close', callOff)
    socket.once('message', (first: Buffer) => {
      callOff()
      socket.on('message', keep)
      const { token, ticket = '' } = readSignIn(first)
      void known(token === undefined ? ofTicket(ticket) : authenticate(token), c)
        .finally(() => socket.off('message', keep))
        .then(
          (actor) => begin(socket, actor, c),
          (error: unknown) => refuse(socket, error),
        )
        .then(() => early.forEach((message) => socket.emit('message', ...message)))
    })
  }

  async function accept(c: Context<AppEnv>): Promise<(socket: WebSocket) => void> {
    const { ticket } = readQuery(c)
    const header = c.req.header('authorization')
    if (header === undefined && !ticket) return (socket) => awaitSignIn(socket, c)
    const who = header === undefined ? ofTicket(onlyOne('ticket', ticket!)) : authenticate(bearerToken(c))
    const actor = await known(who, c)
    return (socket) => begin(socket, actor, c)
  }

  return async (c: Context<AppEnv>): Promise<Response> => {
    try {
      const { upgrade } = (c.env ?? {}) as Partial<SocketBindings>
      if (!upgrade) throw new DomainError('request.upgrade_required', 'This path is for WebSockets.')
      const open = await accept(c)
      upgrade((socket) => {
        socket.on('error', () => {}) // what breaks the protocol is closed by the library
        open(socket)
      })
      return c.body(null)
    } finally {
      c.get('requestLimit').ofAddress() // where no user was counted
    }
  }
}

function refuse(socket: WebSocket, error: unknown): void {
  const refusal = toDomainError(error)
  socket.send(JSON.stringify(errorMessage(refusal)))
  const [code, reason] = refusal.code === 'rate_limit.exceeded' ? TOO_MANY : REFUSED
  socket.close(code, reason)
}

const errorMessage = ({ code, message: detail }: DomainError) => ({ type: 'error', code, detail })

function readSignIn(data: Buffer): z.infer<typeof SignIn> {
  try {
    return SignIn.parse(JSON.parse(data.toString()))
  } catch {
    return { type: 'auth', ticket: '' } // nobody's
  }
}

import type { TraceContext } from '../domain/actor.ts'
import type { EventDraft } from '../domain/events.ts'
import type { Count, CountOne } from '../domain/identity-throttle.ts'
import type { Session } from '../domain/identity-session.ts'
import type { KeySet, TicketPurpose, User } from '../domain/identity.ts'
import type { Actor } from './ports.ts'

/** Types only: what the use cases of identity may ask of the world. */

/** What accompanies a request to the functions of identity, which mostly have no actor yet. */
export interface AuthCall {
  now: Date
  trace: TraceContext
  clientAddress: string | null
  userAgent: string | null
}

export interface NewUser extends User {
  passwordHash: string | null
}

/** A secret of 30 seconds that stands for an actor once. Only its digest is kept. */
export interface Ticket {
  digest: string
  purpose: TicketPurpose
  actor: Actor
  expiresAt: Date
}

/** One decided change of who may do what. It is applied with its events as a whole or not at all. */
export interface IdentityChange {
  /** Null when it concerns nobody we know (a sign-in with an unknown address); then there are no events either. */
  userId: string | null
  at: Date
  events: EventDraft[]
  newUser?: NewUser
  newSession?: Session
  /** Carries its new version. */
  changedSession?: Session
  newTicket?: Ticket
  /** What to count one more under. */
  counts?: CountOne[]
  /** Keys whose counts are forgotten. */
  forgiven?: string[]
}

/** `conflict`: the session has another version; load again and decide again. */
export type IdentityOutcome = 'applied' | 'conflict' | 'email_taken'

export interface SigningKey {
  /** Counts up from 1; the highest signs. */
  generation: number
  kid: string
  privateJwk: object
  createdAt: Date
}

export interface IdentityStore {
  /** The user of an external issuer's subject; made of `newcomer` on first sight, together with its events. */
  userOf(issuer: string, subject: string, newcomer: { user: User; events: EventDraft[] }): Promise<User>
  findUser(userId: string): Promise<User | null>
  isEmailTaken(email: string): Promise<boolean>
  /** The account of an address with its password hash, and the open counts under `keys`; one round trip. */
  loadLogin(
    email: string,
    keys: readonly string[],
    now: Date,
  ): Promise<{ user: User | null; passwordHash: string | null; counts: Count[] }>
  /** Counts one more, but no more than `most`: when they are counted already, resolves to when their window ends. */
  countUpTo(most: number, one: CountOne, now: Date): Promise<Date | null>
  loadSession(sessionId: string): Promise<{ session: Session; user: User } | null>
  /** Takes a ticket out: the second who asks gets null, as does who asks for another purpose or too late. */
  takeTicket(digest: string, purpose: TicketPurpose, now: Date): Promise<Actor | null>
  commit(change: IdentityChange): Promise<IdentityOutcome>
  /** Newest first. */
  signingKeys(): Promise<SigningKey[]>
  /** Adds a key unless its generation exists, and forgets keys that were replaced before `replacedBefore`. */
  addSigningKey(key: SigningKey, replacedBefore: Date): Promise<void>
}

type IsRight = (password: string, hash: string | null) => Promise<boolean>

export interface Passwords {
  /** Does `work` unless too much of the same client is under way in this process; then `auth.rate_limited`. */
  amongFew<T>(client: string, work: () => Promise<T>): Promise<T>
  hash(password: string): Promise<string>
  /**
   * Does `work` when its turn has come: few go at once, so that what one reads and writes limits the next. `isRight`
   * says whether a password is the one that was hashed; null takes as long as a hash and is never right.
   */
  inTurn<T>(work: (isRight: IsRight) => Promise<T>): Promise<T>
}

export interface Tokens {
  /** A signed access token for our own API. */
  issue(actor: Pick<Actor, 'userId' | 'timeZone' | 'scopes'>): Promise<string>
  publicKeys(): Promise<KeySet>
}

/** All that identity needs, as one dependency. */
export interface Identity {
  store: IdentityStore
  passwords: Passwords
  tokens: Tokens
}

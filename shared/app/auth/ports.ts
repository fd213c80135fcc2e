import type { TraceContext } from '../../domain/actor.ts'
import type { ApiToken } from '../../domain/auth/api-token.ts'
import type { Session } from '../../domain/auth/identity-session.ts'
import type { Count, CountOne, Tally } from '../../domain/auth/identity-throttle.ts'
import type { CodeClaims } from '../../domain/auth/oauth.ts'
import type { KeySet, TicketPurpose, User } from '../../domain/auth/identity.ts'
import type { ChangedPreferences, MovedZone } from '../../domain/decision.ts'
import type { EventDraft } from '../../domain/draft-event.ts'
import type { Asked } from '../../domain/notifications/confirmation.ts'
import type { ChosenType } from '../../domain/notifications/notification.ts'
import type { Actor } from '../ports.ts'

/** What accompanies a request to the functions of identity, which mostly have no actor yet. */
export interface AuthCall {
  now: Date
  trace: TraceContext
  clientAddress: string | null
  userAgent: string | null
}

interface NewUser extends User {
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
  /** Carries its new version; `passwordHash` where that changes. */
  changedUser?: User & { passwordHash?: string }
  /** What the change rests on: another password by then is a conflict. */
  provedPassword?: { userId: string; passwordHash: string }
  /** Digest of the token by which a password is set. */
  usedReset?: string
  /** Whose links to set a password lead nowhere any more, nor those of mails that are yet to be sent. */
  voidedResets?: string
  /** Nobody reaches the account from then on, and its address is free; the change's event is its last. */
  deletedUser?: string
  /** With how many a user can have at once: of more, those that were used the longest time ago end. */
  newSession?: { session: Session; most: number }
  /** Carries its new version. */
  changedSession?: Session
  /** See end-sessions.ts. */
  endedSessions?: { userId: string; except: string | null }
  /** With how many a user can have at once. */
  newApiToken?: { token: ApiToken; most: number }
  /** A conflict where the user has none with this id. */
  revokedApiToken?: string
  newTicket?: { ticket: Ticket; most: number }
  /** Digest of the code that the new user was invited with; it is used up. */
  invitation?: string
  /** Mails to the user, such as one that asks to confirm an address. */
  mails?: Asked
  /** The zone of the account changes, and counts for notifications by the preferences of this version. */
  movedZone?: MovedZone
  preferences?: ChangedPreferences
  /** What to count one more under. */
  counts?: CountOne[]
  /**
   * Under which of `counts` the only event stands: it says the number, all up to a number and then the powers of two; the
   * events in between are left out.
   */
  tally?: Tally
  /** Keys whose counts are forgotten. */
  forgiven?: string[]
}

/** `conflict`: the user, the session or the link has changed; load again and decide again. */
export type IdentityOutcome =
  'applied' | 'conflict' | 'email_taken' | 'not_invited' | 'name_taken' | 'too_many'

interface Invitation {
  digest: string
  /** Null: for anybody. */
  email: string | null
  createdAt: Date
  expiresAt: Date
}

export interface SigningKey {
  /** Counts up from 1; the highest signs. */
  generation: number
  kid: string
  privateJwk: object
  createdAt: Date
}

export interface IdentityStore {
  /**
   * The user of an external issuer's subject; made of `newcomer` on first sight, together with its events. With
   * `tellsEmail`, a known one gets the newcomer's address as well. Null when the subject had an account that was deleted after
   * the token was issued.
   */
  userOf(
    issuer: string,
    subject: string,
    newcomer: { user: User; issuedAt: Date | null; tellsEmail: boolean; events: EventDraft[] },
  ): Promise<User | null>
  findUser(userId: string): Promise<User | null>
  isEmailTaken(email: string): Promise<boolean>
  addInvitation(invitation: Invitation): Promise<void>
  /** Whether a code with this digest may be used for this address, now. */
  isInvited(digest: string, email: string, now: Date): Promise<boolean>
  /**
   * The account that has a password and this address, and this id where one is named, with its password hash, and the open
   * counts under `keys`; one round trip.
   */
  loadLogin(
    claimed: { email: string; userId?: string | undefined },
    keys: readonly string[],
    now: Date,
  ): Promise<{ user: User | null; passwordHash: string | null; counts: Count[] }>
  /** Counts one more, but no more than `most`: when they are counted already, resolves to when their window ends. */
  countUpTo(most: number, one: CountOne, now: Date): Promise<Date | null>
  /** When the window ends in which so many are counted already; null when there may be more. */
  spentUntil(most: number, key: string, now: Date): Promise<Date | null>
  /** Counts one less. */
  uncount(key: string): Promise<void>
  /**
   * Keeps the digest of a token by which a new password is set; false when this is no longer the address of the account, or what
   * was asked for then has been voided.
   */
  addReset(
    digest: string,
    of: { userId: string; email: string; askedAt: Date; expiresAt: Date },
  ): Promise<boolean>
  /** What a token to set a password leads to, used or not, until it expires. */
  findReset(digest: string, now: Date): Promise<{ user: User; passwordHash: string; isUsed: boolean } | null>
  loadSession(sessionId: string): Promise<{ session: Session; user: User } | null>
  /** Who a ticket stands for, which stays usable. */
  findTicket(digest: string, purpose: TicketPurpose, now: Date): Promise<Actor | null>
  /** Those of the user that have not ended, at most `limit`, those used last first. */
  listSessions(userId: string, now: Date, limit: number): Promise<Session[]>
  /** The API token with this digest, unless it has ended, with the zone of its user. It was used now, or some minutes ago. */
  useApiToken(digest: string, now: Date): Promise<(ApiToken & { timeZone: string }) | null>
  /** Newest first. */
  listApiTokens(userId: string, now: Date): Promise<ApiToken[]>
  /** Which of these have not ended: sessions, API tokens, or accounts. */
  openSessions(ids: readonly string[], now: Date): Promise<Set<string>>
  /** Takes a ticket out: the second who asks gets null, as does who asks for another purpose or too late. */
  takeTicket(digest: string, purpose: TicketPurpose, now: Date): Promise<Actor | null>
  commit(change: IdentityChange): Promise<IdentityOutcome>
  /** Newest first. */
  signingKeys(): Promise<SigningKey[]>
  /** Adds a key unless its generation exists, and forgets keys that were replaced before `replacedBefore`. */
  addSigningKey(key: SigningKey, replacedBefore: Date): Promise<void>
  /** The key that signs links: the first that anybody offered. */
  linkKey(offered: string, now: Date): Promise<string>
}

/** Tells, soon after it was committed, whose sessions have ended, whichever process did it. Some of it may get lost. */
export interface SessionSignal {
  /** `onListening` is called whenever it begins to hear. Resolves to how it is called off. */
  listen(onEnded: (userId: string) => void, onListening: () => void): () => void
}

/** Whether sessions are open, as far as this process knows without asking; or accounts, by whose id (`accessOf`). */
export interface OpenSessions {
  isOpen(id: string, userId: string, now: Date): boolean | Promise<boolean>
  /** `onEnded` is called when it has ended; what is returned calls it off. */
  watch(id: string, userId: string, onEnded: () => void): () => void
  /** Says that sessions of the user may have ended. */
  forget(userId: string): void
  /** When no requests come any more. */
  stop(): void
}

type IsRight = (password: string, hash: string | null) => Promise<boolean>

export interface Passwords {
  /** Does `work` unless too much of the same client is under way in this process; then `auth.rate_limited`. */
  limitPerClient<T>(client: string, work: () => Promise<T>): Promise<T>
  hash(password: string, client: string): Promise<string>
  /** Whether it is one of those that are tried first. */
  isCommon(password: string): Promise<boolean>
  /**
   * Does `work` when its turn has come: few go at once, so that what one reads and writes limits the next. `isRight`
   * says whether a password is the one that was hashed; null takes as long as a hash and is never right.
   */
  withConcurrencyLimit<T>(visitor: Visitor, work: (isRight: IsRight) => Promise<T>): Promise<T>
}

/** Who waits for a turn. Clients that have signed in to the account before wait in a lane of their own. */
export interface Visitor {
  lane: 'known' | 'unknown'
  /** What counts as one: works of one are done one after the other. */
  client: string
}

export interface Tokens {
  /** A signed access token for our own API. */
  issue(
    actor: Required<Pick<Actor, 'userId' | 'timeZone' | 'scopes' | 'sessionId'>> & {
      clientId?: string | null
    },
  ): Promise<string>
  publicKeys(): Promise<KeySet>
}

/** Tokens of links in mails. But for one, they hold what they say and our signature, and are kept nowhere. */
export interface SignedLinks {
  /** Says until `until` that whoever shows it reads the mail of this address. */
  confirmation(userId: string, address: string, until: Date): Promise<string>
  /** Null when it is none of ours. */
  readConfirmation(
    token: string,
  ): Promise<{ userId: string; until: Date; isOf(address: string): boolean } | null>
  /**
   * A new token by which the password is set once, soon. It says nothing, and only its digest is kept. Null where it would lead
   * nowhere: the account has another address, or its password was set since this was asked for.
   */
  passwordReset(of: { userId: string; address: string; askedAt: Date }): Promise<string | null>
  /** For a program that its user has let in; good for one session. */
  authorizationCode(claims: CodeClaims): Promise<string>
  readAuthorizationCode(code: string): Promise<CodeClaims | null>
  /** Ends mail of one type to a user, without end. */
  unsubscription(userId: string, type: ChosenType): Promise<string>
  readUnsubscription(token: string): Promise<{ userId: string; type: ChosenType } | null>
}

/** What programs say of themselves at the URL that is their id. */
export interface ClientDocuments {
  /** Why nothing is ever read from this URL; null when it may be tried. */
  objection(url: string): string | null
  /** Null when there is none, or it cannot be had now. */
  read(url: string): Promise<string | null>
}

/** All that identity needs, as one dependency. */
export interface Identity {
  store: IdentityStore
  sessions: OpenSessions
  passwords: Passwords
  tokens: Tokens
  links: SignedLinks
}

/** A deleted account of which there may be something left. */
interface DeletedAccount {
  userId: string
  deletedAt: Date
}

/** Some of a kind, under the name that they have in an export. */
export interface ExportedPage {
  section: string
  items: object[]
}

export interface Accounts {
  /** Everything of a user that says something, section by section, in pages of about a megabyte at most. */
  pagesOf(userId: string): AsyncIterable<ExportedPage>
  /** The tables that hold rows of users, in the order in which they are emptied of them. */
  tables: readonly string[]
  /** Removes about so many rows of a deleted account, with what belongs to them; resolves to how many. */
  eraseSome(userId: string, table: string, limit: number): Promise<number>
  /** Those that have not been looked at for the last time, by id. */
  toErase(after: string | null, limit: number): Promise<DeletedAccount[]>
  /** That was the last time, if there is indeed nothing left. */
  markErased(userId: string, now: Date): Promise<void>
}

import type { IdentityStore, NewUser, SigningKey, Ticket } from '../app/identity-ports.ts'
import type { EventDraft } from '../domain/events.ts'
import type { Session } from '../domain/identity-session.ts'
import type { Count, CountOne } from '../domain/identity-throttle.ts'
import type { User } from '../domain/identity.ts'

export interface MemoryIdentityStore extends IdentityStore {
  /** Events in the order they were committed, with their owner. */
  readonly events: { userId: string; event: EventDraft }[]
}

/** An identity store for tests without a database. Each method works at one stroke, as a transaction would. */
export function createMemoryIdentityStore(): MemoryIdentityStore {
  const users = new Map<string, NewUser>()
  const external = new Map<string, string>()
  const sessions = new Map<string, Session>()
  const tickets = new Map<string, Ticket>()
  const counts = new Map<string, Count>()
  const events: MemoryIdentityStore['events'] = []
  let keys: SigningKey[] = []

  const publicPart = ({ id, email, timeZone, createdAt }: NewUser): User => ({
    ...{ id, email, timeZone, createdAt },
  })
  const byEmail = (email: string) => users.values().find((user) => user.email === email)
  const record = (userId: string, drafts: readonly EventDraft[]) =>
    void events.push(...drafts.map((event) => ({ userId, event })))

  function countOne({ key, resetsAt }: CountOne, at: Date): void {
    const open = counts.get(key)
    const isOpen = open !== undefined && open.resetsAt > at
    counts.set(key, isOpen ? { ...open, count: open.count + 1 } : { key, count: 1, resetsAt })
  }

  return {
    events,
    async userOf(issuer, subject, { user, events: drafts }) {
      const key = JSON.stringify([issuer, subject])
      const known = users.get(external.get(key) ?? '')
      if (known) return publicPart(known)
      external.set(key, user.id)
      users.set(user.id, { ...user, passwordHash: null })
      record(user.id, drafts)
      return user
    },
    findUser: async (userId) => {
      const user = users.get(userId)
      return user ? publicPart(user) : null
    },
    isEmailTaken: async (email) => byEmail(email) !== undefined,
    loadLogin: async (email, wanted, now) => {
      const user = byEmail(email)
      return {
        user: user ? publicPart(user) : null,
        passwordHash: user?.passwordHash ?? null,
        counts: wanted.flatMap((key) => counts.get(key) ?? []).filter((count) => count.resetsAt > now),
      }
    },
    countUpTo: async (most, one, now) => {
      const open = counts.get(one.key)
      if (open && open.resetsAt > now && open.count >= most) return open.resetsAt
      countOne(one, now)
      return null
    },
    loadSession: async (sessionId) => {
      const session = sessions.get(sessionId)
      const user = users.get(session?.userId ?? '')
      return session && user ? { session, user: publicPart(user) } : null
    },
    takeTicket: async (digest, purpose, now) => {
      const ticket = tickets.get(digest)
      if (!ticket || ticket.purpose !== purpose || ticket.expiresAt <= now) return null
      tickets.delete(digest)
      return ticket.actor
    },
    async commit(change) {
      const { newUser, newSession, changedSession, newTicket } = change
      if (newUser?.email && byEmail(newUser.email)) return 'email_taken'
      if (changedSession && sessions.get(changedSession.id)?.version !== changedSession.version - 1)
        return 'conflict'
      if (newUser) users.set(newUser.id, newUser)
      if (newSession) sessions.set(newSession.id, newSession)
      if (changedSession) sessions.set(changedSession.id, changedSession)
      if (newTicket) tickets.set(newTicket.digest, newTicket)
      for (const one of change.counts ?? []) countOne(one, change.at)
      for (const key of change.forgiven ?? []) counts.delete(key)
      if (change.userId) record(change.userId, change.events)
      return 'applied'
    },
    signingKeys: async () => keys.toSorted((a, b) => b.generation - a.generation),
    async addSigningKey(key, replacedBefore) {
      const successorOf = (old: SigningKey) => keys.find((other) => other.generation === old.generation + 1)
      keys = keys.filter((old) => (successorOf(old)?.createdAt ?? key.createdAt) >= replacedBefore)
      if (!keys.some((other) => other.generation === key.generation)) keys.push(key)
    },
  }
}

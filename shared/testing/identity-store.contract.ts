import { beforeAll, describe, expect, it } from 'vitest'
import type { IdentityChange, IdentityStore } from '../app/identity-ports.ts'
import { draftEvent, UserRegistered, type EventDraft } from '../domain/events.ts'
import { rotated, sessionExpiry, type Session } from '../domain/identity-session.ts'
import type { User } from '../domain/identity.ts'
import { systemIds } from '../kit/system.ts'

const NOW = new Date('2026-11-22T10:00:00.000Z')
const later = (ms: number) => new Date(NOW.getTime() + ms)
const uuid = () => systemIds.uuid()

const aUser = (email: string | null = `${uuid()}@example.org`): User => ({
  ...{ id: uuid(), email, timeZone: 'Europe/Berlin', createdAt: NOW },
})

const aSession = (userId: string, over: Partial<Session> = {}): Session => ({
  ...{ id: uuid(), userId, seed: 'seed', tokenDigest: 'first', previousDigest: null, rotatedAt: null },
  ...{ createdAt: NOW, expiresAt: sessionExpiry(NOW), revokedAt: null, version: 1 },
  ...over,
})

const anEvent = (user: User): EventDraft =>
  draftEvent(UserRegistered, {
    ...{ id: uuid(), subject: `user/${user.id}`, time: NOW, trace: null },
    data: { actor: { type: 'user', id: user.id }, client_address: null, user_agent: null },
  })

const registration = (user: User, rest: Partial<IdentityChange> = {}): IdentityChange => ({
  ...{ userId: user.id, at: NOW, events: [anEvent(user)], newUser: { ...user, passwordHash: 'hash' } },
  ...rest,
})

export interface IdentityStoreUnderTest {
  store: IdentityStore
  /** Types of the user's events, in order. */
  eventTypes: (userId: string) => Promise<string[]>
}

/** What every identity store promises. */
export function identityStoreContract(name: string, open: () => Promise<IdentityStoreUnderTest>): void {
  describe(`identity store: ${name}`, () => {
    let store: IdentityStore
    let eventTypes: IdentityStoreUnderTest['eventTypes']
    beforeAll(async () => {
      ;({ store, eventTypes } = await open())
    })

    const registered = async (rest: Partial<IdentityChange> = {}) => {
      const user = aUser()
      expect(await store.commit(registration(user, rest))).toBe('applied')
      return user
    }

    it('finds a registered user again, by id and by address, with the event that told of it', async () => {
      const user = await registered()
      expect(await store.findUser(user.id)).toEqual(user)
      expect(await store.isEmailTaken(user.email ?? '')).toBe(true)
      expect(await store.loadLogin(user.email ?? '', [], NOW)).toEqual({
        ...{ user, passwordHash: 'hash', counts: [] },
      })
      expect(await eventTypes(user.id)).toEqual(['auth.user.registered'])
    })

    it('knows nothing of strangers', async () => {
      expect(await store.findUser(uuid())).toBeNull()
      expect(await store.isEmailTaken('nobody@example.org')).toBe(false)
      expect(await store.loadLogin('nobody@example.org', [], NOW)).toEqual({
        ...{ user: null, passwordHash: null, counts: [] },
      })
      expect(await store.loadSession(uuid())).toBeNull()
    })

    it('gives an address to one of many who ask at once, and leaves nothing of the others', async () => {
      const email = `${uuid()}@example.org`
      const users = Array.from({ length: 20 }, () => aUser(email))
      const outcomes = await Promise.all(users.map((user) => store.commit(registration(user))))
      expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'email_taken')).toHaveLength(19)
      const winner = users[outcomes.indexOf('applied')]
      expect((await store.loadLogin(email, [], NOW)).user).toEqual(winner)
      const told = await Promise.all(users.map((user) => eventTypes(user.id)))
      expect(told.flat()).toEqual(['auth.user.registered'])
    })

    it('makes one user of an external subject, however many see it first', async () => {
      const subject = uuid()
      const newcomers = Array.from({ length: 20 }, () => aUser(null))
      const users = await Promise.all(
        newcomers.map((user) =>
          store.userOf('https://issuer.example', subject, { user, events: [anEvent(user)] }),
        ),
      )
      expect(new Set(users.map((user) => user.id)).size).toBe(1)
      expect(newcomers).toContainEqual(users[0])
      const told = await Promise.all(newcomers.map((user) => eventTypes(user.id)))
      expect(told.flat()).toEqual(['auth.user.registered'])
    })

    it('keeps the same subject of two issuers apart', async () => {
      const subject = uuid()
      const [one, two] = [aUser(null), aUser(null)]
      await store.userOf('https://one.example', subject, { user: one, events: [] })
      expect(await store.userOf('https://two.example', subject, { user: two, events: [] })).toEqual(two)
    })

    it('loads a session with its user', async () => {
      const user = aUser()
      const session = aSession(user.id)
      await store.commit(registration(user, { newSession: session }))
      expect(await store.loadSession(session.id)).toEqual({ session, user })
    })

    it('lets one of many rotate a session from the same version', async () => {
      const user = aUser()
      const session = aSession(user.id)
      await store.commit(registration(user, { newSession: session }))
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, place) =>
          store.commit({
            ...{ userId: user.id, at: NOW, events: [anEvent(user)] },
            changedSession: rotated(session, `next-${place}`, later(5)),
          }),
        ),
      )
      expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(19)
      const winner = rotated(session, `next-${outcomes.indexOf('applied')}`, later(5))
      expect((await store.loadSession(session.id))?.session).toEqual(winner)
      expect(await eventTypes(user.id)).toHaveLength(2)
    })

    it('hands a ticket to one of many, and only for its purpose and in time', async () => {
      const user = await registered()
      const actor = {
        ...{
          userId: user.id,
          view: { type: 'user' as const, id: user.id },
          timeZone: 'UTC',
          scopes: ['full'],
        },
      }
      const issue = async (digest: string) => {
        const newTicket = { digest, purpose: 'stream' as const, actor, expiresAt: later(30_000) }
        await store.commit({ userId: user.id, at: NOW, events: [], newTicket })
        return digest
      }
      const ticket = await issue(uuid())
      expect(await store.takeTicket(ticket, 'other' as 'stream', NOW)).toBeNull()
      expect(await store.takeTicket(ticket, 'stream', later(30_000))).toBeNull()
      const taken = await Promise.all(
        Array.from({ length: 20 }, () => store.takeTicket(ticket, 'stream', later(29_999))),
      )
      expect(taken.filter((got) => got !== null)).toEqual([actor])
    })

    it('counts exactly within a window, forgets them after it, forgives on request', async () => {
      const [pair, account] = [`a-${uuid()}`, `b-${uuid()}`]
      const fail = (at: Date) =>
        store.commit({
          ...{ userId: null, at, events: [] },
          counts: [
            { key: account, resetsAt: new Date(at.getTime() + 60_000) },
            { key: pair, resetsAt: new Date(at.getTime() + 10_000) },
          ],
        })
      const counts = async (at: Date) => {
        const open = await store.loadLogin('nobody@example.org', [pair, account], at)
        return Object.fromEntries(open.counts.map(({ key, count }) => [key, count]))
      }
      await Promise.all(Array.from({ length: 20 }, () => fail(NOW)))
      expect(await counts(later(9_999))).toEqual({ [pair]: 20, [account]: 20 })
      expect(await counts(later(10_000))).toEqual({ [account]: 20 })
      await fail(later(10_000))
      expect(await counts(later(10_001))).toEqual({ [pair]: 1, [account]: 21 })
      await store.commit({ userId: null, at: NOW, events: [], forgiven: [pair] })
      expect(await counts(later(10_001))).toEqual({ [account]: 21 })
    })

    it('counts up to a limit, exactly, and again when the window is over', async () => {
      const one = { key: uuid(), resetsAt: later(10_000) }
      const all = await Promise.all(Array.from({ length: 20 }, () => store.countUpTo(5, one, NOW)))
      expect(all.filter((spent) => spent === null)).toHaveLength(5)
      expect(all.filter((spent) => spent !== null)).toEqual(Array<Date>(15).fill(later(10_000)))
      expect(await store.countUpTo(5, { ...one, resetsAt: later(19_999) }, later(9_999))).toEqual(
        later(10_000),
      )
      expect(await store.countUpTo(5, { ...one, resetsAt: later(20_000) }, later(10_000))).toBeNull()
      expect(await store.countUpTo(1, { ...one, resetsAt: later(20_001) }, later(10_001))).toEqual(
        later(20_000),
      )
    })

    it('keeps one key per generation, newest first, and forgets those replaced long ago', async () => {
      const key = (generation: number, kid: string, createdAt = NOW) => ({
        ...{ generation, kid, privateJwk: { kty: 'RSA', n: kid }, createdAt },
      })
      await Promise.all(['x', 'y', 'z'].map((kid) => store.addSigningKey(key(1, kid), NOW)))
      const [first, ...others] = await store.signingKeys()
      expect(others).toEqual([])
      await store.addSigningKey(key(2, 'second', later(1000)), NOW)
      expect((await store.signingKeys()).map(({ kid }) => kid)).toEqual(['second', first?.kid])
      await store.addSigningKey(key(3, 'third', later(9000)), later(5000))
      expect(await store.signingKeys()).toEqual([
        ...[key(3, 'third', later(9000)), key(2, 'second', later(1000))],
      ])
    })
  })
}

import { describe, expect, it } from 'vitest'
import type { IdentityChange } from '../../app/auth/ports.ts'
import { draftEvent, type EventDraft } from '../../domain/draft-event.ts'
import { LoginFailed, UserRegistered } from '../../domain/events.ts'
import { rotated, type Session } from '../../domain/auth/identity-session.ts'
import { changedUser, NEW_USER, type User } from '../../domain/auth/identity.ts'
import { systemIds } from '../../kit/system.ts'
import { aSession as sessionOf } from '../../../testing/builders/a-session.ts'
import { anEvent } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { createIdentityStore } from './identity-store.ts'

const NOW = new Date('2026-11-22T10:00:00.000Z')
const later = (ms: number) => new Date(NOW.getTime() + ms)
const uuid = () => systemIds.uuid()
const LATER = { now: later(5), clientAddress: '198.51.100.7', userAgent: 'a browser, updated' }

const aUser = (email: string | null = `${uuid()}@example.org`): User => ({
  id: uuid(),
  email,
  timeZone: 'Europe/Berlin',
  createdAt: NOW,
  emailConfirmedAt: null,
  confirmationSentAt: null,
  ...NEW_USER,
})

const aSession = (userId: string, { createdAt = NOW, ...over }: Partial<Session> = {}) =>
  sessionOf(userId, createdAt, over)

const registeredEvent = (user: User): EventDraft =>
  draftEvent(UserRegistered, {
    id: uuid(),
    subject: `user/${user.id}`,
    time: NOW,
    trace: null,
    data: { actor: { type: 'user', id: user.id } },
  })

const registration = (user: User, rest: Partial<IdentityChange> = {}): IdentityChange => ({
  userId: user.id,
  at: NOW,
  events: [registeredEvent(user)],
  newUser: { ...user, passwordHash: 'hash' },
  ...rest,
})

const sql = await testDatabase()
const store = createIdentityStore(sql)

/** Types of the user's events, in order. */
async function eventTypes(userId: string): Promise<string[]> {
  const rows = await sql<{ type: string }[]>`select type from events where user_id = ${userId} order by seq`
  return rows.map((row) => row.type)
}

/** The numbers that events of the user carry, in order. */
async function countsTold(userId: string): Promise<number[]> {
  const rows = await sql<{ count: number }[]>`select (data -> 'count')::int as count from events
    where user_id = ${userId} and data ? 'count' order by seq`
  return rows.map(({ count }) => count)
}

describe('the identity store', () => {
  const registered = async (rest: Partial<IdentityChange> = {}) => {
    const user = aUser()
    expect(await store.commit(registration(user, rest))).toBe('applied')
    return user
  }

  it('finds a registered user again, by id and by address, with the event that told of it', async () => {
    const user = await registered()
    expect(await store.findUser(user.id)).toEqual(user)
    expect(await store.isEmailTaken(user.email ?? '')).toBe(true)
    expect(await store.loadLogin({ email: user.email ?? '' }, [], NOW)).toEqual({
      user,
      passwordHash: 'hash',
      counts: [],
    })
    expect(await eventTypes(user.id)).toEqual(['auth.user.registered'])
  })

  it('knows nothing of strangers', async () => {
    expect(await store.findUser(uuid())).toBeNull()
    expect(await store.isEmailTaken('nobody@example.org')).toBe(false)
    expect(await store.loadLogin({ email: 'nobody@example.org' }, [], NOW)).toEqual({
      user: null,
      passwordHash: null,
      counts: [],
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
    expect((await store.loadLogin({ email }, [], NOW)).user).toEqual(winner)
    const told = await Promise.all(users.map((user) => eventTypes(user.id)))
    expect(told.flat()).toEqual(['auth.user.registered'])
  })

  it('makes one user of an external subject, however many see it first', async () => {
    const subject = uuid()
    const newcomers = Array.from({ length: 20 }, () => aUser(null))
    const users = await Promise.all(
      newcomers.map((user) =>
        store.userOf('https://issuer.example', subject, {
          user,
          issuedAt: NOW,
          tellsEmail: false,
          events: [registeredEvent(user)],
        }),
      ),
    )
    expect(new Set(users.map((user) => user!.id)).size).toBe(1)
    expect(newcomers).toContainEqual(users[0])
    const told = await Promise.all(newcomers.map((user) => eventTypes(user.id)))
    expect(told.flat()).toEqual(['auth.user.registered'])
  })

  it('keeps the same subject of two issuers apart', async () => {
    const subject = uuid()
    const [one, two] = [aUser(null), aUser(null)]
    await store.userOf('https://one.example', subject, {
      user: one,
      issuedAt: NOW,
      tellsEmail: false,
      events: [],
    })
    expect(
      await store.userOf('https://two.example', subject, {
        user: two,
        issuedAt: NOW,
        tellsEmail: false,
        events: [],
      }),
    ).toEqual(two)
  })

  it('gives a user of an issuer the address that it tells of, also one that an account has', async () => {
    const { email } = await registered()
    const subject = uuid()
    const seen = (user: User, tellsEmail: boolean) =>
      store.userOf('https://issuer.example', subject, { user, issuedAt: NOW, tellsEmail, events: [] })
    const known = await seen(aUser(null), true)
    const told = { ...aUser(email), emailConfirmedAt: later(5) }
    expect(await seen(told, false)).toEqual(known)
    expect(await seen(told, true)).toEqual({ ...known, email, emailConfirmedAt: later(5), version: 2 })
    expect(await seen({ ...told, emailConfirmedAt: later(9) }, true)).toMatchObject({
      emailConfirmedAt: later(5),
    })
    expect((await store.loadLogin({ email: email ?? '' }, [], NOW)).user?.id).not.toBe(known!.id)
    expect(await seen(aUser(null), true)).toEqual({ ...known, version: 3 })
  })

  it('knows nobody whose account is deleted at the moment at which the issuer tells of another address', async () => {
    const subject = uuid()
    const seen = (user: User) =>
      store.userOf('https://issuer.example', subject, { user, issuedAt: NOW, tellsEmail: true, events: [] })
    const known = (await seen(aUser()))!
    let late: Promise<User | null> = Promise.resolve(known)
    await sql.begin(async (tx) => {
      const deletion = { at: later(1), deleted_user: known.id }
      await tx`select commit_identity(${sql.json(deletion)}, null)`
      late = seen(aUser())
      const waiting = () => sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`
      await expect.poll(waiting).toHaveLength(1)
    })
    expect(await late).toBeNull()
  })

  it('keeps no link to set a password that is made while the password changes', async () => {
    const user = await registered()
    const link = { userId: user.id, email: user.email!, askedAt: NOW, expiresAt: later(1000) }
    let kept: Promise<boolean> = Promise.resolve(true)
    await sql.begin(async (tx) => {
      await tx`update users set resets_void_at = ${NOW} where id = ${user.id}`
      kept = store.addReset('made meanwhile', link)
      const waiting = () => sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`
      await expect.poll(waiting).toHaveLength(1)
    })
    expect(await kept).toBe(false)
    expect(await store.addReset('made later', { ...link, askedAt: later(1) })).toBe(true)
  })

  it('lets one of many change a user that all of them know', async () => {
    const user = await registered()
    const ask = (at: Date) =>
      store.commit({
        userId: user.id,
        at,
        events: [registeredEvent(user)],
        changedUser: changedUser(user, { confirmationSentAt: at }),
      })
    const asked = await Promise.all(Array.from({ length: 5 }, () => ask(later(1))))
    expect(asked.toSorted()).toEqual(['applied', ...Array<string>(4).fill('conflict')])
    expect(await store.findUser(user.id)).toEqual({ ...user, confirmationSentAt: later(1), version: 2 })
    expect(await eventTypes(user.id)).toHaveLength(2)
  })

  it('gives an address that two accounts ask for to one of them', async () => {
    const [one, two] = [await registered(), await registered()]
    const email = `${uuid()}@example.org`
    const move = (user: User) =>
      store.commit({ userId: user.id, at: NOW, events: [], changedUser: changedUser(user, { email }) })
    const outcomes = await Promise.all([move(one), move(two)])
    expect(outcomes.toSorted()).toEqual(['applied', 'email_taken'])
    const winner = outcomes[0] === 'applied' ? one : two
    expect((await store.loadLogin({ email }, [], NOW)).user?.id).toBe(winner.id)
  })

  it('opens no session for a password that has become another one', async () => {
    const user = await registered()
    const open = (passwordHash: string) =>
      store.commit({
        userId: user.id,
        at: NOW,
        events: [],
        provedPassword: { userId: user.id, passwordHash },
        newSession: { session: aSession(user.id), most: 10 },
      })
    expect(await open('hash')).toBe('applied')
    const changed = { ...changedUser(user, {}), passwordHash: 'another' }
    expect(await store.commit({ userId: user.id, at: NOW, events: [], changedUser: changed })).toBe('applied')
    expect([await open('hash'), await open('another')]).toEqual(['conflict', 'applied'])
  })

  it('takes an invitation once, in time and for its address', async () => {
    const invite = async (email: string | null = null) => {
      const digest = uuid()
      await store.addInvitation({ digest, email, createdAt: NOW, expiresAt: later(1000) })
      return digest
    }
    const use = (invitation: string, user: User, at = NOW) =>
      store.commit({ ...registration(user, { invitation }), at })
    const open = await invite()
    const users = Array.from({ length: 10 }, () => aUser())
    expect(await store.isInvited(open, 'a@example.org', NOW)).toBe(true)
    const outcomes = await Promise.all(users.map((user) => use(open, user)))
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'not_invited')).toHaveLength(9)
    expect(await store.isInvited(open, 'a@example.org', NOW)).toBe(false)
    expect(await use(await invite(), aUser(), later(1000))).toBe('not_invited')
    const bound = await invite('ada@example.org')
    expect(await store.isInvited(bound, 'eve@example.org', NOW)).toBe(false)
    expect(await use(bound, aUser('eve@example.org'))).toBe('not_invited')
    expect(await use(bound, aUser('ada@example.org'))).toBe('applied')
    expect(await store.isEmailTaken('eve@example.org')).toBe(false)
  })

  it('keeps the first key for links that anybody offers', async () => {
    const keys = await Promise.all(['a', 'b', 'c'].map((key) => store.linkKey(key, NOW)))
    expect(new Set(keys).size).toBe(1)
    expect(await store.linkKey('d', NOW)).toBe(keys[0])
  })

  it('loads a session with its user', async () => {
    const user = aUser()
    const session = aSession(user.id)
    await store.commit(registration(user, { newSession: { session, most: 10 } }))
    expect(await store.loadSession(session.id)).toEqual({ session, user })
  })

  it('lets one of many rotate a session from the same version', async () => {
    const user = aUser()
    const session = aSession(user.id)
    await store.commit(registration(user, { newSession: { session, most: 10 } }))
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, place) =>
        store.commit({
          userId: user.id,
          at: NOW,
          events: [registeredEvent(user)],
          changedSession: rotated(session, `next-${place}`, LATER),
        }),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(19)
    const winner = rotated(session, `next-${outcomes.indexOf('applied')}`, LATER)
    expect((await store.loadSession(session.id))?.session).toEqual(winner)
    expect(await eventTypes(user.id)).toHaveLength(2)
  })

  it('hands a ticket to one of many, and only for its purpose and in time', async () => {
    const user = await registered()
    const actor = {
      userId: user.id,
      view: { type: 'user' as const, id: user.id },
      timeZone: 'UTC',
      scopes: ['full'],
    }
    const issue = async (digest: string) => {
      const newTicket = { digest, purpose: 'stream' as const, actor, expiresAt: later(30_000) }
      await store.commit({
        userId: user.id,
        at: NOW,
        events: [],
        newTicket: { ticket: newTicket, most: 10 },
      })
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

  it('keeps so many sessions of a user, those used last, also when many begin at once', async () => {
    const user = await registered()
    const aged = (ms: number, over: Partial<Session> = {}) =>
      aSession(user.id, { createdAt: later(ms), ...over })
    const [old, ended, used] = [aged(-9), aged(-1, { revokedAt: NOW }), aged(-20, { rotatedAt: later(-2) })]
    const begin = (session: Session) =>
      store.commit({ userId: user.id, at: NOW, events: [], newSession: { session, most: 3 } })
    for (const session of [old, ended, used, aged(0)]) await begin(session)
    const isThere = async ({ id }: Session) => (await store.loadSession(id)) !== null
    expect(await Promise.all([old, ended, used].map(isThere))).toEqual([true, false, true])
    await begin(aged(1))
    expect(await Promise.all([old, used].map(isThere))).toEqual([false, true])
    const many = Array.from({ length: 20 }, (_, n) => aged(2 + n))
    await Promise.all(many.map(begin))
    expect((await Promise.all(many.map(isThere))).filter(Boolean)).toHaveLength(3)
  })

  it('keeps so many tickets of a user, also when many are made at once', async () => {
    const user = await registered()
    const actor = {
      userId: user.id,
      view: { type: 'user' as const, id: user.id },
      timeZone: 'UTC',
      scopes: [],
    }
    const digests = Array.from({ length: 20 }, uuid)
    await Promise.all(
      digests.map((digest, n) => {
        const ticket = { digest, purpose: 'stream' as const, actor, expiresAt: later(30_000 + n) }
        return store.commit({ userId: user.id, at: NOW, events: [], newTicket: { ticket, most: 3 } })
      }),
    )
    const taken = await Promise.all(digests.map((digest) => store.takeTicket(digest, 'stream', NOW)))
    expect(taken.filter((one) => one !== null)).toHaveLength(3)
  })

  it('tells of what happens often each time at first, then the powers of two, with the number', async () => {
    const user = await registered()
    const key = uuid()
    const failed = () =>
      draftEvent(LoginFailed, {
        id: uuid(),
        subject: `user/${user.id}`,
        time: NOW,
        trace: null,
        data: {
          actor: { type: 'system', id: 'auth' },
          reason: 'wrong_password',
          count: 1,
        },
      })
    const fail = (at: Date) =>
      store.commit({
        userId: user.id,
        at,
        events: [failed()],
        tally: { key, allUpTo: 5 },
        counts: [{ key, resetsAt: new Date(at.getTime() + 10_000) }],
      })
    await Promise.all(Array.from({ length: 40 }, () => fail(NOW)))
    const told = async () => (await countsTold(user.id)).toSorted((a, b) => a - b)
    expect(await told()).toEqual([1, 2, 3, 4, 5, 8, 16, 32])
    await fail(later(10_000))
    expect(await told()).toEqual([1, 1, 2, 3, 4, 5, 8, 16, 32])
  })

  it('counts exactly within a window, forgets them after it, forgives on request', async () => {
    const [pair, account] = [`a-${uuid()}`, `b-${uuid()}`]
    const fail = (at: Date) =>
      store.commit({
        userId: null,
        at,
        events: [],
        counts: [
          { key: account, resetsAt: new Date(at.getTime() + 60_000) },
          { key: pair, resetsAt: new Date(at.getTime() + 10_000) },
        ],
      })
    const counts = async (at: Date) => {
      const open = await store.loadLogin({ email: 'nobody@example.org' }, [pair, account], at)
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
    expect(await store.countUpTo(5, { ...one, resetsAt: later(19_999) }, later(9_999))).toEqual(later(10_000))
    expect(await store.countUpTo(5, { ...one, resetsAt: later(20_000) }, later(10_000))).toBeNull()
    expect(await store.countUpTo(1, { ...one, resetsAt: later(20_001) }, later(10_001))).toEqual(
      later(20_000),
    )
  })

  it('counts one less on request', async () => {
    const one = { key: uuid(), resetsAt: later(10_000) }
    expect(await store.countUpTo(1, one, NOW)).toBeNull()
    expect(await store.countUpTo(1, one, NOW)).toEqual(later(10_000))
    await store.uncount(one.key)
    expect(await store.countUpTo(1, one, NOW)).toBeNull()
    await store.uncount('of nothing')
  })

  it('keeps one key per generation, newest first, and forgets those replaced long ago', async () => {
    const key = (generation: number, kid: string, createdAt = NOW) => ({
      generation,
      kid,
      privateJwk: { kty: 'RSA', n: kid },
      createdAt,
    })
    await Promise.all(['x', 'y', 'z'].map((kid) => store.addSigningKey(key(1, kid), NOW)))
    const [first, ...others] = await store.signingKeys()
    expect(others).toEqual([])
    await store.addSigningKey(key(2, 'second', later(1000)), NOW)
    expect((await store.signingKeys()).map(({ kid }) => kid)).toEqual(['second', first?.kid])
    await store.addSigningKey(key(3, 'third', later(9000)), later(5000))
    expect(await store.signingKeys()).toEqual([key(3, 'third', later(9000)), key(2, 'second', later(1000))])
  })
})

// Counting used to clean up old rows of others as well, so two failed sign-ins could each hold what the other needed.
it('a failed sign-in in the middle of its transaction holds up no other one, whatever is out of date', async () => {
  const [userId, at] = [systemIds.uuid(), new Date('2026-11-22T10:00:00.000Z')]
  await sql`insert into user_counters (user_id) values (${userId})`
  await sql`insert into login_counts select key, 1, '2026-11-22T09:00:00Z' from unnest(array['a', 'b']) key`
  const failure = (key: string, owner: string | null) =>
    store.commit({
      userId: owner,
      at,
      events: owner === null ? [] : [anEvent()],
      counts: [{ key, resetsAt: new Date('2026-11-22T11:00:00.000Z') }],
    })
  let first: Promise<unknown> = Promise.resolve()
  await sql.begin(async (tx) => {
    await tx`select 1 from user_counters where user_id = ${userId} for update`
    first = failure('a', userId)
    await expect
      .poll(
        () => sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
      )
      .toHaveLength(1)
    expect(await failure('b', null)).toBe('applied')
  })
  expect(await first).toBe('applied')
})

import { describe, expect, it, onTestFinished } from 'vitest'
import { aSession } from '../../testing/builders/a-session.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { manualTimers } from '../../testing/worlds/manual-timers.ts'
import type { SessionSignal } from '../app/auth/ports.ts'
import { createIdentityStore } from '../db/auth/identity-store.ts'
import { createSessionSignal } from '../db/auth/session-signal.ts'
import { revoked, type Session } from '../domain/auth/identity-session.ts'
import { systemIds } from '../kit/system.ts'
import { createOpenSessions, POLL_MS } from './open-sessions.ts'

const START = Date.parse('2026-11-22T10:00:00.000Z')
const DAY = 24 * 60 * 60_000
const sql = await testDatabase()
const store = createIdentityStore(sql)
/** As behind a pooler in transaction mode. */
const deaf: SessionSignal = { listen: () => () => {} }

async function signedIn(userId: string = systemIds.uuid(), most = 1000): Promise<Session> {
  const session = aSession(userId, new Date(START))
  await store.commit({ userId, at: new Date(START), events: [], newSession: { session, most } })
  return session
}
const end = (session: Session) =>
  store.commit({
    userId: session.userId,
    at: new Date(START),
    events: [],
    changedSession: revoked(session, new Date(START)),
  })

/** What one process knows, whose time passes only when it is told to, and how often it has asked the database. */
function aProcess(signal: SessionSignal = createSessionSignal(sql)) {
  let now = START
  const timers = manualTimers()
  const asked: number[] = []
  const sessions = createOpenSessions({
    store: {
      openSessions: (ids, at) => {
        asked.push(ids.length)
        return store.openSessions(ids, at)
      },
    },
    signal,
    clock: { now: () => new Date(now) },
    startTimer: timers.startTimer,
  })
  onTestFinished(sessions.stop)
  return {
    sessions,
    asked,
    timers: timers.due,
    isOpen: ({ id, userId }: Session) => sessions.isOpen(id, userId, new Date(now)),
    watch({ id, userId }: Session) {
      const heard = { ended: 0, callOff: () => {} }
      heard.callOff = sessions.watch(id, userId, () => void (heard.ended += 1))
      return heard
    },
    pass(ms: number) {
      now += ms
      timers.advance(ms)
    },
  }
}

const listeners = async () =>
  (await sql`select 1 from pg_stat_activity where datname = current_database() and query ilike 'listen%'`)
    .length

describe('what a process knows of sessions', () => {
  it('is asked of the database once, however many requests of a session come', async () => {
    const { isOpen, asked } = aProcess()
    const session = await signedIn()
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await isOpen(session)))
    expect(new Set(answers)).toEqual(new Set([true]))
    expect(isOpen(session)).toBe(true)
    expect(asked[0]).toBe(1)
    expect(asked.filter((count) => count === 1).length).toBeLessThanOrEqual(2) // once more when it begins to listen
  })

  it('is that none is open that has ended, has expired or never was', async () => {
    const { isOpen, pass, asked } = aProcess(deaf)
    const [ended, expired] = [await signedIn(), await signedIn()]
    await end(ended)
    expect(await isOpen(ended)).toBe(false)
    expect(await isOpen(aSession(systemIds.uuid(), new Date(START)))).toBe(false)
    expect(asked).toEqual([1, 1])
    expect(isOpen(ended)).toBe(false)
    expect(asked).toEqual([1, 1])
    pass(30 * DAY)
    expect(await isOpen(expired)).toBe(false)
  })

  it('ends in every process that listens when one ends the session, its streams too', async () => {
    const processes = [aProcess(), aProcess(), aProcess()]
    const user = systemIds.uuid()
    const [session, other] = [await signedIn(user), await signedIn(user)]
    const streams = processes.map(({ watch }) => [watch(session), watch(other)])
    for (const { isOpen } of processes)
      expect([await isOpen(session), await isOpen(other)]).toEqual([true, true])
    await expect.poll(listeners).toBe(3)
    await end(session)
    for (const { isOpen } of processes) {
      await expect.poll(() => isOpen(session)).toBe(false)
      expect(await isOpen(other)).toBe(true)
    }
    await expect
      .poll(() => streams.map((ofOne) => ofOne.map(({ ended }) => ended)))
      .toEqual([
        [1, 0],
        [1, 0],
        [1, 0],
      ])
  })

  it('ends when all sessions but one are ended, and when one gives place to a new one', async () => {
    const [here, user] = [aProcess(), systemIds.uuid()]
    const [kept, ended] = [await signedIn(user), await signedIn(user)]
    for (const session of [kept, ended]) expect(await here.isOpen(session)).toBe(true)
    await expect.poll(listeners).toBe(1)
    const endedSessions = { userId: user, except: kept.id }
    await store.commit({ userId: user, at: new Date(START), events: [], endedSessions })
    await expect.poll(() => here.isOpen(ended)).toBe(false)
    expect(await here.isOpen(kept)).toBe(true)
    await signedIn(user, 1)
    await expect.poll(() => here.isOpen(kept)).toBe(false)
  })

  it('ends at once in the process that says so itself', async () => {
    const { sessions, isOpen, watch } = aProcess(deaf)
    const session = await signedIn()
    const stream = watch(session)
    expect(await isOpen(session)).toBe(true)
    await end(session)
    expect(isOpen(session)).toBe(true)
    sessions.forget(session.userId)
    expect(await isOpen(session)).toBe(false)
    await expect.poll(() => stream.ended).toBe(1)
  })

  it('is ten seconds late at most where nothing is heard', async () => {
    const { isOpen, watch, pass } = aProcess(deaf)
    const [session, other] = [await signedIn(), await signedIn()]
    const stream = watch(session)
    for (const one of [session, other]) expect(await isOpen(one)).toBe(true)
    await end(session)
    pass(POLL_MS - 1)
    expect(isOpen(session)).toBe(true)
    pass(1)
    await expect.poll(() => isOpen(session)).toBe(false)
    expect([stream.ended, isOpen(other)]).toEqual([1, true])
  })

  it('ends a stream whose session has ended before it was opened', async () => {
    const { watch } = aProcess(deaf)
    const session = await signedIn()
    await end(session)
    const stream = watch(session)
    await expect.poll(() => stream.ended).toBe(1)
  })

  it('is not what the database said before the end of the session', async () => {
    const session = await signedIn()
    const { promise: slow, resolve: answer } = Promise.withResolvers<Set<string>>()
    let asked = 0
    const sessions = createOpenSessions({
      store: { openSessions: (ids, at) => ((asked += 1) === 1 ? slow : store.openSessions(ids, at)) },
      signal: deaf,
      clock: { now: () => new Date(START) },
      startTimer: manualTimers().startTimer,
    })
    const first = sessions.isOpen(session.id, session.userId, new Date(START))
    await end(session)
    sessions.forget(session.userId)
    answer(new Set([session.id]))
    await first
    expect(await sessions.isOpen(session.id, session.userId, new Date(START))).toBe(false)
  })

  it('is asked for anew after five minutes, when nothing is running and no connection is left', async () => {
    const { isOpen, pass, timers, asked } = aProcess()
    const session = await signedIn()
    expect(await isOpen(session)).toBe(true)
    await expect.poll(listeners).toBe(1)
    pass(5 * 60_000)
    await expect.poll(() => timers.size).toBe(0)
    await expect.poll(listeners).toBe(0)
    asked.length = 0
    expect(await isOpen(session)).toBe(true)
    expect(asked).toEqual([1])
  })

  it('is right again when the connection that hears was lost', async () => {
    const { isOpen, watch } = aProcess()
    const [session, later] = [await signedIn(), await signedIn()]
    const stream = watch(session)
    for (const one of [session, later]) expect(await isOpen(one)).toBe(true)
    await expect.poll(listeners).toBe(1)
    const cut = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%'`
    await Promise.all([cut, end(session)])
    await expect.poll(() => isOpen(session), { timeout: 5000 }).toBe(false)
    await expect.poll(() => stream.ended).toBe(1)
    await expect.poll(listeners, { timeout: 5000 }).toBe(1)
    await end(later)
    await expect.poll(() => isOpen(later)).toBe(false)
  })

  it('is held for a stream as long as it is open', async () => {
    const { watch, pass, timers } = aProcess(deaf)
    const stream = watch(await signedIn())
    for (const ms of [POLL_MS, 10 * 60_000]) {
      pass(ms)
      expect(timers.size).toBe(0)
      await expect.poll(() => timers.size).toBe(1)
    }
    stream.callOff()
    pass(POLL_MS)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(timers.size).toBe(0)
  })

  it('cannot be had while the database is away, and is right when it is back', async () => {
    const session = await signedIn()
    let isAway = true
    const timers = manualTimers()
    const sessions = createOpenSessions({
      store: {
        openSessions: async (ids, at) => {
          if (isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
          return await store.openSessions(ids, at)
        },
      },
      signal: createSessionSignal(sql),
      clock: { now: () => new Date(START) },
      startTimer: timers.startTimer,
    })
    onTestFinished(sessions.stop)
    await expect(sessions.isOpen(session.id, session.userId, new Date(START))).rejects.toThrow('away')
    isAway = false
    expect(await sessions.isOpen(session.id, session.userId, new Date(START))).toBe(true)
    await expect.poll(listeners).toBe(1)
    // What was lost during an outage is found by the first poll after it, which listens anew.
    isAway = true
    timers.advance(POLL_MS)
    await expect.poll(() => timers.due.size).toBe(1)
    isAway = false
    await sql`update sessions set revoked_at = ${new Date(START)} where id = ${session.id}`
    timers.advance(POLL_MS)
    await expect.poll(() => sessions.isOpen(session.id, session.userId, new Date(START))).toBe(false)
    const ended = await signedIn()
    expect(await sessions.isOpen(ended.id, ended.userId, new Date(START))).toBe(true)
    await expect.poll(listeners).toBe(1)
    await end(ended)
    await expect.poll(() => sessions.isOpen(ended.id, ended.userId, new Date(START))).toBe(false)
  })
})

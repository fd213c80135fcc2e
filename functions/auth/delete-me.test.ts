import { describe, expect, it } from 'vitest'
import { eraseAccounts } from '../../shared/app/auth/account/erase-accounts.ts'
import { deleteAccount } from '../../shared/app/auth/account/delete-account.ts'
import { deliverDue } from '../../shared/app/notifications/deliver-notifications.ts'
import { sendDailyDigests } from '../../shared/app/notifications/send-daily-digests.ts'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import { fireDue } from '../../shared/app/reminders/fire-reminders.ts'
import { DAY_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aChange, anEvent, tasksAdded } from '../../testing/builders/a-task.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { fullAccount, rowsOf } from '../../testing/worlds/full-account.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import createTask from '../tasks/create-task.ts'
import deleteMe from './delete-me.ts'
import endSession from './end-session.ts'
import endSessions from './end-sessions.ts'
import getMe from './get-me.ts'
import issueTicket from './issue-ticket.ts'
import logIn from './log-in.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const { deps, sql } = world

type Account = Awaited<ReturnType<typeof fullAccount>>

const remove = ({ token, peer }: Account, json: object = { password: 'correct horse battery staple' }) =>
  world.call<{ code: string; errors?: { path: string }[] } | null>(deleteMe, { token, peer, json })
const signIn = async ({ email, password }: Account) =>
  (await world.call(logIn, { json: { email, password } })).status
/** The tombstone: that there was an account, and the event that says that it is deleted. */
const TOMBSTONE = { deleted_accounts: 1, events: 1, outbox: 1 }
/** But for the chain of the audit trail, which functions/audit/erased-account.test.ts is about. */
const left = async ({ id }: Pick<Account, 'id'>) =>
  Object.fromEntries(
    Object.entries(await rowsOf(world, id)).filter(
      ([table, rows]) => rows > 0 && !table.startsWith('audit_'),
    ),
  )

describe('delete-me', () => {
  it('removes every row of the user from every table, and none of anybody else', async () => {
    const [user, other] = [await fullAccount(world), await fullAccount(world)]
    const { deleted_accounts: none, ...before } = await rowsOf(world, user.id)
    expect(none).toBe(0)
    expect(Object.entries(before).filter(([, rows]) => rows === 0)).toEqual([])
    const others = await rowsOf(world, other.id)
    expect((await remove(user)).status).toBe(204)
    expect(await left(user)).toEqual(TOMBSTONE)
    expect(await sql`select 1 from users where id = ${user.id}`).toHaveLength(0)
    expect(await rowsOf(world, other.id)).toEqual(others)
    expect(await signIn(other)).toBe(200)
  })

  it('ends every way in at once and frees the address', async () => {
    const user = await fullAccount(world)
    await remove(user)
    expect(await signIn(user)).toBe(401)
    const json = { refresh_token: user.refreshToken }
    expect((await world.call(refreshSession, { json })).status).toBe(401)
    expect((await world.call(getMe, { token: user.token })).status).toBe(401)
    const again = await world.call<{ user: { id: string } }>(registerUser, {
      json: { email: user.email, password: user.password },
    })
    expect([again.status, again.body.user.id === user.id]).toEqual([201, false])
  })

  it('keeps one event, the last, which is published and holds nothing but the id and the time', async () => {
    const user = await fullAccount(world)
    const [{ last } = { last: 0 }] = await sql<{ last: number }[]>`
      select last_seq as last from user_counters where user_id = ${user.id}`
    await remove(user)
    const events = await sql<{ seq: number; type: string; data: object }[]>`
      select seq, type, data from events where user_id = ${user.id}`
    expect([...events]).toMatchObject([{ seq: last + 1, type: 'auth.account.deleted' }])
    expect(JSON.stringify(events)).not.toMatch(/2001:db8|example\.org/)
    await publishPending(deps)
    const published = world.published.filter(({ event }) => event.userid === user.id)
    expect(published.at(-1)).toMatchObject({ topic: 'audit-events', event: { type: 'auth.account.deleted' } })
    expect(await left(user)).toEqual({ deleted_accounts: 1, events: 1 })
  })

  it('wants the password, and counts wrong ones', async () => {
    const user = await fullAccount(world)
    const before = await rowsOf(world, user.id)
    for (const [json, code] of [
      [{}, 'request.invalid'],
      [{ password: 'wrong horse battery' }, 'auth.wrong_password'],
    ] as const) {
      const { status, body } = await remove(user, json)
      expect([status, body]).toMatchObject([422, { code, errors: [{ path: 'password' }] }])
    }
    const { token, peer } = user
    expect(await world.call(deleteMe, { token, peer })).toMatchObject({
      status: 422,
      body: { code: 'request.invalid', errors: [{ path: 'password' }] },
    })
    expect(await rowsOf(world, user.id)).toEqual({
      ...before,
      events: before['events']! + 1,
      outbox: before['outbox']! + 1,
      login_counts: before['login_counts']! + 3,
    })
  })

  it('wants none from who signs in elsewhere, who is somebody new the next time', async () => {
    const { id } = await world.external({ subject: 'ada' })
    expect((await world.call(deleteMe, { token: tokenOf(id), json: {} })).status).toBe(204)
    expect(await left({ id })).toEqual(TOMBSTONE)
    world.clock.advance(1000)
    expect((await world.external({ subject: 'ada' })).id).not.toBe(id)
  })

  it('and sessions that end or get tickets at the same moment do not wait for each other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await world.external()
      await deps.changes.commit(aChange(id, { events: [anEvent()] }))
      const sessions = await Promise.all(Array.from({ length: 6 }, () => openSession(deps, id)))
      const answers = await Promise.all([
        ...sessions.flatMap(({ session, token }) => [
          world.call(issueTicket, { token }),
          world.call(endSession, { token, path: `/api/auth/sessions/${session.id}` }),
        ]),
        world.call(deleteMe, { token: tokenOf(id), json: {} }),
        world.call(endSessions, { token: tokenOf(id) }),
      ])
      expect(answers.map(({ status }) => status).filter((status) => status >= 500)).toEqual([])
      expect(answers.at(-2)?.status).toBe(204)
    }
  })

  it('done again, or many times at once, is done once', async () => {
    const user = await fullAccount(world)
    const all = await Promise.all(Array.from({ length: 4 }, () => remove(user)))
    expect(all.map(({ status }) => status)).toEqual([204, 204, 204, 204])
    expect((await world.call(deleteMe, { token: tokenOf(user.id), json: {} })).status).toBe(204)
    expect(await left(user)).toEqual(TOMBSTONE)
  })

  it('lets nobody write for it any more, whatever was under way', async () => {
    const user = await fullAccount(world)
    await remove(user)
    const late = [
      () => deps.changes.commit(aChange(user.id, { events: [anEvent()] })),
      () => deps.changes.commit(tasksAdded(user.id, [{}])),
      () =>
        deps.changes.exclusively(user.id, (store) => store.commit(aChange(user.id, { events: [anEvent()] }))),
      () =>
        deps.changes.commit({
          ...aChange(user.id),
          processed: { consumer: 'test', eventId: systemIds.uuid() },
        }),
    ]
    for (const write of late) expect(await write()).toEqual({ outcome: 'account_deleted' })
    const { status, body } = await world.call(createTask, {
      token: tokenOf(user.id),
      json: { title: 'Late' },
    })
    expect([status, body]).toMatchObject([401, { code: 'auth.invalid_token' }])
    await eraseAccounts(deps)
    expect(await left(user)).toEqual(TOMBSTONE)
  })

  it('leaves no row of a write that comes at the same moment', async () => {
    const user = await fullAccount(world)
    const writes = Array.from({ length: 10 }, () => deps.changes.commit(tasksAdded(user.id, [{}])))
    const [{ status }] = await Promise.all([remove(user), ...writes])
    expect(status).toBe(204)
    await eraseAccounts(deps)
    expect(await left(user)).toEqual(TOMBSTONE)
  })
})

describe('what a deleted account leaves', () => {
  const call = (now: Date) => ({
    now,
    trace: { traceparent: '', tracestate: null },
    clientAddress: null,
    userAgent: null,
  })
  const actorOf = ({ id }: Account) => ({
    userId: id,
    view: { type: 'user' as const, id },
    timeZone: 'UTC',
    scopes: ['full'],
  })
  /** Crashes at the nth time that a batch is begun, or when it is done and nobody has heard of it. */
  const crashing = (nth: number, isDone: boolean) => {
    let times = 0
    return {
      ...deps,
      accounts: {
        ...deps.accounts,
        eraseSome: async (...of: Parameters<typeof deps.accounts.eraseSome>) => {
          times += 1
          if (times === nth && isDone) await deps.accounts.eraseSome(...of)
          if (times >= nth) throw new Error('a crash')
          return deps.accounts.eraseSome(...of)
        },
      },
    }
  }

  it.each([1, 6, 11, 16, 21])('is removed by the purge after a crash at batch %i', async (nth) => {
    for (const isDone of [false, true]) {
      const user = await fullAccount(world)
      const { password } = user
      const warned = world.logged.length
      const answer = deleteAccount(crashing(nth, isDone), call(world.clock.now()), actorOf(user), password)
      expect(await answer).toEqual({ body: null })
      expect(world.logged.length).toBe(warned + 1)
      expect(await signIn(user)).toBe(401)
      await eraseAccounts(crashing(nth, isDone)).catch(() => {})
      await eraseAccounts(deps)
      expect(await left(user)).toEqual(TOMBSTONE)
      world.clock.advance(60_000)
    }
  })

  it('is left alone by what runs by itself', async () => {
    const user = await fullAccount(world)
    const actor = actorOf(user)
    await deleteAccount(crashing(1, false), call(world.clock.now()), actor, user.password)
    expect((await left(user))['reminders']).toBe(1)
    world.clock.set('2027-03-01T10:00:00.000Z')
    const [sent, logged] = [world.sent.length, world.logged.length]
    await fireDue(deps, 'cron/sweep-reminders')
    await sendDailyDigests(deps, 'cron/sweep-deliveries')
    await deliverDue(deps, 'cron/sweep-deliveries')
    expect(world.sent.slice(sent).filter(({ to }) => to === user.email)).toEqual([])
    expect(world.logged.slice(logged).filter(({ level }) => level !== 'info')).toEqual([])
    await eraseAccounts(deps)
    expect(await left(user)).toEqual(TOMBSTONE)
  })

  it('is removed in batches where it is much', async () => {
    const user = await fullAccount(world)
    await sql`insert into tags select ${user.id}, 'tag ' || n, 0, 'Tag', 1, 0 from generate_series(1, 16000) n`
    await remove(user)
    expect((await left(user))['tags']).toBeGreaterThan(1000)
    expect(await signIn(user)).toBe(401)
    await eraseAccounts(deps)
    expect(await left(user)).toEqual(TOMBSTONE)
  })

  it('is looked for again for a day, and then no more', async () => {
    const user = await fullAccount(world)
    await remove(user)
    const leaveTag = () => sql`insert into tags values (${user.id}, 'late', 0, 'Late', 1, 0)`
    await leaveTag()
    await eraseAccounts(deps)
    expect(await left(user)).toEqual(TOMBSTONE)
    world.clock.advance(DAY_MS + 1)
    await eraseAccounts(deps)
    const [row] = await sql`select erased_at from deleted_accounts where user_id = ${user.id}`
    expect(row).toEqual({ erased_at: world.clock.now() })
    expect((await deps.accounts.toErase(null, 1000)).map(({ userId }) => userId)).not.toContain(user.id)
  })

  it('is not taken for removed while a row is there', async () => {
    const user = await fullAccount(world)
    await remove(user)
    await sql`insert into tags values (${user.id}, 'late', 0, 'Late', 1, 0)`
    await deps.accounts.markErased(user.id, world.clock.now())
    const erasedAt = async () =>
      (await sql`select erased_at from deleted_accounts where user_id = ${user.id}`)[0]
    expect(await erasedAt()).toEqual({ erased_at: null })
    await eraseAccounts(deps)
    await deps.accounts.markErased(user.id, world.clock.now())
    expect(await erasedAt()).toEqual({ erased_at: world.clock.now() })
  })
})

import { describe, expect, it } from 'vitest'
import { deliverDue } from '../../shared/app/notifications/deliver-notifications.ts'
import { followZones } from '../../shared/app/tasks/follow-zones.ts'
import type { MeView, SignedIn } from '../../shared/domain/auth/identity.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { HttpFunction } from '../../shared/kit/http-function.ts'
import { DAY_MS, HOUR_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld, type CallOptions } from '../../testing/worlds/identity-world.ts'
import setPreferences from '../notifications/set-preferences.ts'
import createTask from '../tasks/create-task.ts'
import askPasswordReset from './ask-password-reset.ts'
import confirmAddress from './confirm-address.ts'
import editMe from './edit-me.ts'
import logIn from './log-in.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const password = 'correct horse battery staple'

type User = Awaited<ReturnType<typeof registered>>

let peers = 0
const aPeer = () => `198.51.100.${(peers += 1)}`
const anEmail = () => `${systemIds.uuid()}@example.org`

async function registered({ isConfirmed = true } = {}) {
  const email = anEmail()
  const json = { email, password, time_zone: 'Europe/Berlin' }
  const { body } = await world.call<SignedIn>(registerUser, { json, peer: aPeer() })
  if (isConfirmed) await world.sql`update users set email_confirmed_at = now() where id = ${body.user.id}`
  await world.sql`delete from deliveries where user_id = ${body.user.id}`
  return { id: body.user.id, email, token: body.access_token, peer: aPeer() }
}
const call = <Body>({ token, peer }: User, fn: HttpFunction, json: unknown, options: CallOptions = {}) =>
  world.call<Body>(fn, { token, peer, json, ...options })
const edit = (user: User, json: object) =>
  call<MeView & { code?: string; errors?: { path: string }[] }>(user, editMe, json)
const move = (user: User, email: string) => edit(user, { email, password })
const typesOf = async ({ id }: User) => (await world.eventsOf(id)).slice(2).map(({ type }) => type)
const linkTo = (user: User, email: string, ms = DAY_MS) =>
  world.identity.links.confirmation(user.id, email, new Date(world.clock.now().getTime() + ms))
const confirm = async (token: string) =>
  world.call<{ code: string } | null>(confirmAddress, { json: { token } })
const signIn = async (email: string) =>
  (await world.call(logIn, { json: { email, password }, peer: aPeer() })).status
const mailsTo = (address: string) => world.sent.filter(({ to }) => to === address).map(({ title }) => title)

describe('edit-me', () => {
  it('changes name and zone, and says so once', async () => {
    const user = await registered()
    const patch = { display_name: ' Ada ', time_zone: 'america/new_york' }
    const got = await edit(user, patch)
    expect([got.status, got.body]).toMatchObject([
      200,
      { id: user.id, email: user.email, display_name: 'Ada', time_zone: 'America/New_York' },
    ])
    expect((await edit(user, patch)).body).toEqual(got.body)
    expect((await edit(user, {})).body).toEqual(got.body)
    expect((await world.eventsOf(user.id)).slice(2)).toMatchObject([
      { type: 'auth.account.updated', data: { display_name: 'Ada', time_zone: 'America/New_York' } },
    ])
    expect((await edit(user, { display_name: null })).body.display_name).toBeNull()
  })

  it.each([
    ['time_zone', 'Mars/Olympus'],
    ['time_zone', null],
    ['display_name', '\u200b'],
    ['display_name', 'Ada\u0007'],
    ['display_name', 'x'.repeat(101)],
    ['email', 'no address'],
    ['email', null],
  ])('refuses %s %j and names the field', async (path, value) => {
    const user = await registered()
    const { status, body } = await edit(user, { [path]: value })
    expect([status, body.errors?.[0]?.path]).toEqual([422, path])
    expect(await typesOf(user)).toEqual([])
  })

  it('takes tasks that float along to another zone, with a token of before', async () => {
    const user = await registered()
    const create = async () => {
      const json = { title: 'Stretch', due_at: '2026-12-01T09:00:00', time_zone: 'floating' }
      return (await call<TaskView>(user, createTask, json)).body
    }
    const early = await create()
    expect(early.due_at).toBe('2026-12-01T08:00:00.000Z')
    await edit(user, { time_zone: 'America/New_York' })
    expect((await create()).due_at).toBe('2026-12-01T14:00:00.000Z')
    expect(await followZones(world.deps, 'cron/follow-zones')).toBe(1)
    const rows = await world.sql<{ due_at: Date }[]>`select due_at from tasks where user_id = ${user.id}`
    expect(rows.map((row) => row.due_at.toISOString())).toEqual(Array(2).fill('2026-12-01T14:00:00.000Z'))
  })

  it('lets the digest of the day come by the new zone, unless another was chosen for notifications', async () => {
    const digestAt = async ({ id }: User) => {
      const [row] = await world.sql<{ at: Date }[]>`
        select next_digest_at as at from notification_preferences where user_id = ${id}`
      return row!.at.toISOString()
    }
    const [mover, chooser] = [await registered(), await registered()]
    await call(mover, setPreferences, { daily_digest: { at: '07:00' } })
    await call(chooser, setPreferences, { daily_digest: { at: '07:00' }, time_zone: 'Asia/Tokyo' })
    const [before, chosen] = [await digestAt(mover), await digestAt(chooser)]
    expect(before).toMatch(/T06:00:00\.000Z$/)
    for (const user of [mover, chooser]) await edit(user, { time_zone: 'America/New_York' })
    expect([await digestAt(mover), await digestAt(chooser)]).toEqual([
      expect.stringMatching(/T12:00:00\.000Z$/),
      chosen,
    ])
  })
})

describe('another address', () => {
  it('becomes the account’s when the mail to it is followed; the old one is told, and used until then', async () => {
    const user = await registered()
    const email = anEmail()
    expect((await move(user, email.toUpperCase())).body).toMatchObject({
      email: user.email,
      new_email: email,
    })
    await deliverDue(world.deps, 'cron/sweep-deliveries')
    expect(mailsTo(email)).toEqual(['Daybook notifications are enabled'])
    expect(mailsTo(user.email)).toEqual(['Your address is about to change'])
    expect([await signIn(user.email), await signIn(email)]).toEqual([200, 401])
    const link = await linkTo(user, email)
    const all = await Promise.all(Array.from({ length: 4 }, () => confirm(link)))
    expect(all.map(({ status }) => status)).toEqual([204, 204, 204, 204])
    expect([await signIn(user.email), await signIn(email)]).toEqual([401, 200])
    expect((await edit(user, {})).body).toMatchObject({ email, new_email: null })
    const types = (await typesOf(user)).filter((type) => type.startsWith('auth.email'))
    expect(types).toEqual(['auth.email.change.requested', 'auth.email.changed'])
    expect(JSON.stringify(await world.eventsOf(user.id))).not.toContain(email)
  })

  it('is asked for by who knows the password', async () => {
    const user = await registered()
    expect(await edit(user, { email: anEmail() })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'password' }] },
    })
    expect(await edit(user, { email: anEmail(), password: 'wrong horse battery' })).toMatchObject({
      status: 422,
      body: { code: 'auth.wrong_password', errors: [{ path: 'password' }] },
    })
    expect((await typesOf(user)).filter((type) => type !== 'auth.login.failed')).toEqual([])
  })

  it('is asked for once, also when the request is sent again or twice at a time', async () => {
    const user = await registered()
    const email = anEmail()
    const all = await Promise.all(Array.from({ length: 3 }, () => move(user, email)))
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200])
    await move(user, email)
    await deliverDue(world.deps, 'cron/sweep-deliveries')
    expect(mailsTo(email)).toHaveLength(1)
    world.clock.advance(HOUR_MS)
    await move(await refreshed(user), email)
    await deliverDue(world.deps, 'cron/sweep-deliveries')
    expect(mailsTo(email)).toHaveLength(2)
  })

  it('is taken back by the present one; its link leads nowhere then', async () => {
    const user = await registered()
    const email = anEmail()
    await move(user, email)
    const link = await linkTo(user, email)
    expect((await edit(user, { email: user.email })).body).toMatchObject({
      email: user.email,
      new_email: null,
    })
    expect(await confirm(link)).toMatchObject({ status: 410, body: { code: 'auth.invalid_link' } })
    expect(await signIn(user.email)).toBe(200)
  })

  it('is given to one of two accounts that ask for it', async () => {
    const [one, two] = [await registered(), await registered()]
    const email = anEmail()
    for (const user of [one, two]) expect((await move(user, email)).status).toBe(200)
    const links = [await linkTo(one, email), await linkTo(two, email)]
    const outcomes = await Promise.all(links.map(confirm))
    expect(outcomes.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 409])
    expect(outcomes.find(({ status }) => status === 409)?.body?.code).toBe('auth.email_taken')
    const rows = await world.sql`select id from users where email = ${email}`
    expect(rows).toHaveLength(1)
  })

  it('is refused when it has an account already', async () => {
    const [one, two] = [await registered(), await registered()]
    expect(await move(one, two.email)).toMatchObject({ status: 409, body: { code: 'auth.email_taken' } })
    expect((await edit(one, {})).body.new_email).toBeNull()
  })

  it('voids links to set a password that lie in the mail of the old one', async () => {
    const user = await registered()
    const email = anEmail()
    await world.call(askPasswordReset, { json: { email: user.email }, peer: aPeer() })
    const [early, askedAt] = [await world.resetLink(user), world.clock.now()]
    await move(user, email)
    await confirm(await linkTo(user, email))
    expect(await world.sql`select 1 from password_resets where user_id = ${user.id}`).toHaveLength(0)
    const { id: userId, email: address } = user
    expect(await world.identity.links.passwordReset({ userId, address, askedAt })).toBeNull()
    expect(await world.sql`select 1 from password_resets where user_id = ${user.id}`).toHaveLength(0)
    expect(early).toMatch(/^dbp_/)
  })

  it('tells nobody at an address that was never confirmed', async () => {
    const user = await registered({ isConfirmed: false })
    const email = anEmail()
    await move(user, email)
    await deliverDue(world.deps, 'cron/sweep-deliveries')
    expect([mailsTo(email).length, mailsTo(user.email).length]).toEqual([1, 0])
  })

  it('is sent no more mails than one client, or that address, may have', async () => {
    const user = await registered()
    const email = anEmail()
    const statuses: number[] = []
    for (let nth = 0; nth < 4; nth += 1) {
      statuses.push((await move(await refreshed(user), email)).status)
      world.clock.advance(HOUR_MS)
    }
    expect(statuses).toEqual([200, 200, 200, 429])
  })
})

/** With an access token that holds now. */
const refreshed = async (user: User): Promise<User> => ({
  ...user,
  token: (await openSession(world.deps, user.id, { timeZone: 'Europe/Berlin' })).token,
})

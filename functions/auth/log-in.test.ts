import { beforeEach, describe, expect, it } from 'vitest'
import { SignedIn } from '../../shared/domain/auth/identity.ts'
import { HOUR_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld, type CallOptions } from '../../testing/worlds/identity-world.ts'
import { usualQuotas } from '../../testing/builders/usual-quotas.ts'
import logIn from './log-in.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const password = 'correct horse battery staple'

// Each test begins with new windows.
beforeEach(() => world.clock.advance(HOUR_MS))

async function account(secret = password) {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: secret } })
  return { email, userId: body.user.id }
}

const attempt = (email: string, secret: string, from: Partial<CallOptions> = {}) =>
  world.call<SignedIn & { code: string; detail: string }>(logIn, {
    json: { email, password: secret },
    ...from,
  })

/** The numbers of failures that its owner was told of, in order. */
const countsTold = async (userId: string) =>
  (await world.eventsOf(userId)).flatMap(({ type, data }) =>
    type === 'auth.login.failed' ? [data['count']] : [],
  )

const statuses = async (count: number, work: () => Promise<{ status: number }>) => {
  const seen: number[] = []
  for (let i = 0; i < count; i++) seen.push((await work()).status)
  return seen
}

describe('log-in', () => {
  it('signs in with the right password, in any spelling of the address', async () => {
    const { email, userId } = await account()
    const { status, headers, body } = await attempt(` ${email.toUpperCase()}`, password)
    expect(status).toBe(200)
    expect(SignedIn.parse(body)).toEqual(body)
    expect(body.user).toEqual({ id: userId, email })
    expect(headers.get('cache-control')).toBe('no-store')
    expect((await world.authenticate(body.access_token)).userId).toBe(userId)
  })

  it('takes a password in another Unicode form for the same', async () => {
    const { email } = await account('Ångström-secret')
    expect((await attempt(email, 'A\u030angstro\u0308m-secret')).status).toBe(200)
  })

  it('says the same for a wrong password as for an unknown address', async () => {
    const { email } = await account()
    const wrong = await attempt(email, 'not the password')
    const unknown = await attempt('nobody@example.org', 'not the password')
    const sameButId = ({ status, body }: typeof wrong) => ({ status, body: { ...body, request_id: '' } })
    expect(wrong.status).toBe(401)
    expect(wrong.body.code).toBe('auth.invalid_credentials')
    expect(wrong.headers.get('cache-control')).toBe('no-store')
    expect(sameButId(unknown)).toEqual(sameButId(wrong))
  })

  it('does not accept the empty password, a prefix or the stored hash', async () => {
    const { email } = await account()
    const [row] = await world.sql<
      { password_hash: string }[]
    >`select password_hash from users where email = ${email}`
    for (const guess of ['', password.slice(0, 8), row?.password_hash ?? '']) {
      expect((await attempt(email, guess)).status).toBe(401)
    }
  })

  it('tells of success and failure in events with the client, without the address', async () => {
    const { email, userId } = await account()
    await attempt(email, 'not the password', { headers: { 'user-agent': 'curl/8' } })
    await attempt(email, password)
    const events = (await world.eventsOf(userId)).slice(2)
    expect(events).toEqual([
      {
        type: 'auth.login.failed',
        data: {
          actor: { type: 'system', id: 'auth', client_ip: '203.0.113.9', user_agent: 'curl/8' },
          reason: 'wrong_password',
          count: 1,
        },
      },
      {
        type: 'auth.login.succeeded',
        data: { actor: { type: 'user', id: userId, client_ip: '203.0.113.9' } },
      },
      {
        type: 'auth.token.created',
        data: {
          actor: { type: 'user', id: userId, client_ip: '203.0.113.9' },
          kind: 'session',
        },
      },
    ])
  })

  it('keeps the address and the password of a failure with an unknown address to itself', async () => {
    await attempt('stranger@example.org', 'secret of a stranger')
    expect(JSON.stringify(world.logged)).not.toMatch(/stranger@|secret of|client_ip/)
    expect(JSON.stringify(await world.sql`select * from login_counts`)).not.toContain('stranger')
  })

  it('refuses the eleventh attempt after ten failures, right or wrong, until a quarter of an hour has passed', async () => {
    const { email, userId } = await account()
    expect(await statuses(10, () => attempt(email, 'a wrong guess'))).toEqual(Array<number>(10).fill(401))
    world.clock.advance(60_000)
    const { status, headers, body } = await attempt(email, password)
    expect(status).toBe(429)
    expect(body.code).toBe('auth.rate_limited')
    expect(Object.fromEntries(headers)).toMatchObject({
      'retry-after': '840',
      'ratelimit-limit': '10',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '840',
      'cache-control': 'no-store',
    })
    const failed = (await world.eventsOf(userId)).filter(({ type }) => type === 'auth.login.failed')
    expect(failed).toHaveLength(10)
    world.clock.advance(840_000)
    expect((await attempt(email, password)).status).toBe(200)
  })

  it('leaves a bounded trace of what strangers try: 20 events of a day, then the 32nd and the 64th', async () => {
    const { email, userId } = await account()
    let from = 0
    expect(
      await statuses(90, () => attempt(email, 'a guess', { peer: `203.0.113.${++from}` })),
    ).not.toContain(429)
    const failed = (await world.eventsOf(userId)).filter(({ type }) => type === 'auth.login.failed')
    expect(failed.map(({ data }) => data.count)).toEqual([
      ...Array.from({ length: 20 }, (_, n) => n + 1),
      32,
      64,
    ])
    expect(failed.at(-1)!.data).toMatchObject({ actor: { client_ip: '203.0.113.64' } })
  })

  it('ends the session not used for the longest when there are too many', async () => {
    const { email } = await account()
    Object.assign(world.deps.settings.quotas, { sessions: 3 })
    const sessions: string[] = []
    for (let n = 0; n < 4; n += 1) {
      world.clock.advance(1000)
      const { body } = await attempt(email, password)
      sessions.push((body as unknown as { refresh_token: string }).refresh_token)
    }
    Object.assign(world.deps.settings.quotas, usualQuotas())
    const refresh = (token: string) => world.call(refreshSession, { json: { refresh_token: token } })
    const got = await Promise.all(sessions.map(refresh))
    expect(got.map(({ status }) => status)).toEqual([401, 200, 200, 200])
  })

  it('refuses guesses at an address that nobody has just the same', async () => {
    const guess = () => attempt('no-such-person@example.org', 'a wrong guess')
    expect(await statuses(11, guess)).toEqual([...Array<number>(10).fill(401), 429])
  })

  it('lets the owner in from elsewhere while somebody guesses, and other replicas see the guesses', async () => {
    const { email } = await account()
    const peer = '198.51.100.7'
    await statuses(10, () => attempt(email, 'a wrong guess', { peer }))
    expect((await attempt(email, password)).status).toBe(200)
    const replica = world.sibling()
    const there = await replica.call(logIn, { json: { email, password }, peer })
    expect(there.status).toBe(429)
  })

  it('refuses guesses from ever new addresses after a hundred, except to clients that signed in before', async () => {
    const { email } = await account()
    const [home, cafe] = ['192.0.2.1', '192.0.2.2']
    expect((await attempt(email, password, { peer: home })).status).toBe(200)
    let from = 0
    const guess = () => attempt(email, 'a wrong guess', { peer: `198.51.100.${++from}` })
    expect(await statuses(101, guess)).toEqual([...Array<number>(100).fill(401), 429])
    expect((await attempt(email, password, { peer: cafe })).status).toBe(429)
    expect((await attempt(email, password, { peer: home })).status).toBe(200)
    const peer = home
    const seen = await statuses(11, () => attempt(email, 'a wrong guess', { peer }))
    expect(seen).toEqual([...Array<number>(10).fill(401), 429])
  })

  it('lets one client fail fifty times, whatever the accounts, and others go on', async () => {
    const { email } = await account()
    let nth = 0
    const spray = () => attempt(`person-${++nth}@example.org`, 'Password1', { peer: '198.51.100.7' })
    expect(await statuses(50, spray)).toEqual(Array<number>(50).fill(401))
    world.clock.advance(60_000)
    const { status, headers } = await attempt(email, password, { peer: '198.51.100.7' })
    expect(status).toBe(429)
    expect(headers.get('retry-after')).toBe('840')
    expect((await attempt(email, password, { peer: '198.51.100.8' })).status).toBe(200)
  })

  it('takes all addresses of an IPv6 network of 64 bits for one client', async () => {
    const { email } = await account()
    let nth = 0
    const guess = () => attempt(email, 'a wrong guess', { peer: `2001:db8:0:1::${++nth}` })
    expect(await statuses(11, guess)).toEqual([...Array<number>(10).fill(401), 429])
    expect((await attempt(email, password, { peer: '2001:db8::1:0:0:7:8' })).status).toBe(429)
    expect((await attempt(email, password, { peer: '2001:db8:0:2::1' })).status).toBe(200)
  })

  it('looks at sixty attempts of a client in a minute, also good ones', async () => {
    const { email } = await account()
    const peer = '198.51.100.7'
    const seen = await statuses(61, () => attempt(email, password, { peer }))
    expect(seen).toEqual([...Array<number>(60).fill(200), 429])
    const { headers } = await attempt(email, password, { peer })
    expect(headers.get('retry-after')).toBe('60')
    world.clock.advance(60_000)
    expect((await attempt(email, password, { peer })).status).toBe(200)
  })

  it('signs people in while one client floods it with sign-ins and registrations', async () => {
    const { email } = await account()
    const peer = '198.51.100.7'
    const flood = Array.from({ length: 300 }, (_, nth) => {
      const json = { email: `flood-${nth}@example.org`, password }
      return world.call(nth % 2 ? registerUser : logIn, { json, peer })
    })
    expect((await attempt(email, password)).status).toBe(200)
    const seen = new Set((await Promise.all(flood)).map(({ status }) => status))
    expect([...seen].filter((status) => ![201, 401, 429].includes(status))).toEqual([])
    expect(seen).toContain(429)
  })

  it('keeps nobody from their turn while a success waits for the row of its user', async () => {
    const [held, other] = [await account(), await account()]
    let waiting: Promise<{ status: number }>[] = []
    const from = (nth: number) => ({ peer: `198.51.100.${nth}` })
    await world.sql.begin(async (lock) => {
      await lock`select 1 from user_counters where user_id = ${held.userId} for update`
      waiting = [1, 2, 3, 4].map((nth) => attempt(held.email, password, from(nth)))
      const isBlocked = async () =>
        (
          await world.sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database()`
        ).length
      await expect.poll(isBlocked).toBe(4)
      expect((await attempt(other.email, password, from(5))).status).toBe(200)
    })
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('has nobody else of the network wait for an account whose row is held, whoever signs in to it or fails to', async () => {
    const [held, other] = [await account(), await account()]
    const peer = '198.51.100.7'
    const wrong = ({ email }: { email: string }) =>
      attempt(email, 'a wrong guess', { peer }).then(({ status }) => status)
    await wrong(held)
    let waiting: Promise<number>[] = []
    await world.sql.begin(async (lock) => {
      await lock`select 1 from user_counters where user_id = ${held.userId} for update`
      const blocked = async () =>
        (
          await world.sql`select 1 from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`
        ).length
      waiting = [attempt(held.email, password, { peer }).then(({ status }) => status)]
      await expect.poll(blocked).toBe(1)
      waiting.push(wrong(held), wrong(held))
      await expect.poll(blocked).toBe(3)
      expect(await Promise.race([wrong(other), ...waiting])).toBe(401)
      expect(await wrong({ email: 'nobody@example.org' })).toBe(401)
    })
    expect(await Promise.all(waiting)).toEqual([200, 401, 401])
    expect(await countsTold(held.userId)).toEqual([1, 2, 3])
  })

  it('forgets failures when the right password comes', async () => {
    const { email } = await account()
    await statuses(9, () => attempt(email, 'a wrong guess'))
    expect((await attempt(email, password)).status).toBe(200)
    await statuses(9, () => attempt(email, 'a wrong guess'))
    expect((await attempt(email, password)).status).toBe(200)
  })

  // Ten of a client are let in at once, two are looked at at a time.
  it('looks at no more than eleven of fifty simultaneous guesses', async () => {
    const { email, userId } = await account()
    const guesses = Array.from({ length: 50 }, () => attempt(email, 'a wrong guess'))
    const looked = (await Promise.all(guesses)).filter(({ status }) => status !== 429)
    expect(looked.map(({ status }) => status)).toEqual(Array<number>(looked.length).fill(401))
    expect(looked.length).toBeGreaterThanOrEqual(10)
    expect(looked.length).toBeLessThanOrEqual(11)
    const failed = (await world.eventsOf(userId)).filter(({ type }) => type === 'auth.login.failed')
    expect(failed).toHaveLength(looked.length)
  })
})

import { describe, expect, it } from 'vitest'
import { SignedIn } from '../../shared/domain/auth/identity.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import refreshSession from './refresh-session.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

async function signedIn() {
  const json = { email: `${systemIds.uuid()}@example.org`, password: 'correct horse battery staple' }
  return (await world.call<SignedIn>(registerUser, { json })).body
}

const refresh = (token: string, from = world) =>
  from.call<SignedIn & { code: string }>(refreshSession, { json: { refresh_token: token } })

const types = async (userId: string) => (await world.eventsOf(userId)).map(({ type }) => type).slice(2)

describe('refresh-session', () => {
  it('gives a fresh access token and the next refresh token', async () => {
    const first = await signedIn()
    world.clock.advance(20 * MINUTE)
    await expect(world.authenticate(first.access_token)).rejects.toMatchObject({ code: 'auth.invalid_token' })
    const { status, headers, body } = await refresh(first.refresh_token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(SignedIn.parse(body)).toEqual(body)
    expect(body.user).toEqual(first.user)
    expect(body.refresh_token).not.toBe(first.refresh_token)
    expect((await world.authenticate(body.access_token)).userId).toBe(first.user.id)
    expect(await types(first.user.id)).toEqual([])
  })

  it('goes on for 90 days as long as every token is used once, and leaves no event of it', async () => {
    const { user, refresh_token: first } = await signedIn()
    const seen = new Set([first])
    let token = first
    for (const days of [29, 29, 29, 2.999]) {
      world.clock.advance(days * DAY)
      token = (await refresh(token)).body.refresh_token
      seen.add(token)
    }
    expect(seen.size).toBe(5)
    expect(await types(user.id)).toEqual([])
    world.clock.advance(0.001 * DAY)
    expect(await refresh(token)).toMatchObject({ status: 401, body: { code: 'auth.invalid_token' } })
  })

  it('lets no access token outlive the 90 days by more than the process takes to hear of it', async () => {
    const { refresh_token: first } = await signedIn()
    let token = first
    for (const days of [29, 29, 29, 2.999]) {
      world.clock.advance(days * DAY)
      token = (await refresh(token)).body.refresh_token
    }
    const { access_token } = (await refresh(token)).body
    expect((await world.authenticate(access_token)).userId).toMatch(/-/)
    world.clock.advance(0.001 * DAY)
    await expect(world.sibling().authenticate(access_token)).rejects.toMatchObject({
      code: 'auth.invalid_token',
    })
  })

  it('gives a retry within a minute the same next token, which works', async () => {
    const { refresh_token: first } = await signedIn()
    const lost = await refresh(first)
    world.clock.advance(MINUTE)
    const retry = await refresh(first, world.sibling())
    expect(retry.status).toBe(200)
    expect(retry.headers.get('idempotency-replayed')).toBe('true')
    expect(retry.body.refresh_token).toBe(lost.body.refresh_token)
    expect((await refresh(retry.body.refresh_token)).status).toBe(200)
  })

  it.each([
    ['a second use more than a minute later', 0, MINUTE + 1],
    ['a second use after the next token was used', 1, 0],
    ['a token from far back', 5, 0],
  ])('takes %s for theft and ends the session', async (_, usesAfter, delayMs) => {
    const { user, refresh_token: first } = await signedIn()
    const second = (await refresh(first)).body
    const { access_token: access } = second
    let newest = second.refresh_token
    for (let i = 0; i < usesAfter; i++) newest = (await refresh(newest)).body.refresh_token
    world.clock.advance(delayMs)
    const sibling = world.sibling()
    for (const process of [world, sibling]) await process.authenticate(access)
    const again = await refresh(first)
    expect(again.status).toBe(401)
    expect(again.body.code).toBe('auth.invalid_token')
    expect(again.headers.get('cache-control')).toBe('no-store')
    expect((await refresh(newest)).status).toBe(401)
    await expect(world.authenticate(access)).rejects.toMatchObject({ code: 'auth.invalid_token' })
    await expect
      .poll(() => sibling.authenticate(access).catch(({ code }: { code: string }) => code))
      .toBe('auth.invalid_token')
    const events = await world.eventsOf(user.id)
    expect(events.at(-1)).toMatchObject({
      type: 'auth.token.revoked',
      data: { reason: 'refresh_token_reused', actor: { type: 'system' } },
    })
  })

  it('leaves other sessions of the user alone when it ends one', async () => {
    const [one, two] = [await signedIn(), await signedIn()]
    const next = await refresh(one.refresh_token)
    await refresh(next.body.refresh_token)
    await refresh(one.refresh_token)
    expect((await refresh(two.refresh_token)).status).toBe(200)
  })

  it('gives fifty simultaneous requests the same next token', async () => {
    const { refresh_token: first } = await signedIn()
    const worlds = [world, world.sibling(), world.sibling()]
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, place) => refresh(first, worlds[place % worlds.length])),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(50).fill(200))
    const next = new Set(answers.map(({ body }) => body.refresh_token))
    expect(next.size).toBe(1)
    expect((await refresh([...next][0] ?? '')).status).toBe(200)
  })

  it('ends after thirty days without use', async () => {
    const { refresh_token: first } = await signedIn()
    world.clock.advance(30 * 24 * 60 * MINUTE)
    expect((await refresh(first)).status).toBe(401)
  })

  it.each([
    '',
    'x',
    'dbr_',
    `dbr_${'0'.repeat(96)}`,
    '../../etc/passwd',
    "' or 1=1 --",
    '\u0000',
    'ü'.repeat(4096),
  ])('answers 401 for the token %j', async (token) => {
    const { status, body } = await refresh(token)
    expect(status).toBe(401)
    expect(body.code).toBe('auth.invalid_token')
  })

  it('does not take an access token', async () => {
    const { access_token: token } = await signedIn()
    expect((await refresh(token)).status).toBe(401)
  })

  it.each([[{}], [{ refresh_token: 5 }], [{ refresh_token: 'x'.repeat(4097) }], [[]]])(
    'answers 422 for %#',
    async (json) => {
      const { status, headers } = await world.call(refreshSession, { json })
      expect(status).toBe(422)
      expect(headers.get('cache-control')).toBe('no-store')
    },
  )
})

import { expect, it, vi } from 'vitest'
import type { Passwords } from '../../shared/app/auth/ports.ts'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { createPasswords } from '../../shared/identity/passwords.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import logIn from './log-in.ts'
import registerUser from './register-user.ts'

const password = 'correct horse battery staple'
const [HOME, CAFE] = ['192.0.2.1', '192.0.2.2']
const CLIENTS = 12
const EACH = 10

const world = await identityWorld()
const hashing = createPasswords(systemIds, { N: 16, r: 1, p: 1 }, 1)

/** Turns go on one by one when the test says so. */
let asked = 0
const gates: (() => void)[] = []
const gated: Passwords = {
  ...hashing,
  withConcurrencyLimit: (visitor, work) => {
    asked += 1
    return hashing.withConcurrencyLimit(visitor, async (isRight) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      return work(isRight)
    })
  },
}

it('a crowd of clients that guess passwords delays who knows theirs by a turn or two, not by their number', async () => {
  const email = `${systemIds.uuid()}@example.org`
  await world.call<SignedIn>(registerUser, { json: { email, password }, peer: HOME })
  Object.assign(world.deps.identity, { passwords: gated })
  const signIn = (peer: string, secret: string, to = email) =>
    world.call(logIn, { json: { email: to, password: secret }, peer })
  const waitFor = (count: number) => vi.waitFor(() => expect(asked).toBe(count), 10_000)

  // Of a hundred and twenty, a hundred wait, one has its turn, and the others are refused.
  const flood = Array.from({ length: CLIENTS * EACH }, (_, nth) =>
    signIn(`198.51.100.${nth % CLIENTS}`, 'a wrong guess', `person-${nth}@example.org`),
  )
  await waitFor(CLIENTS * EACH)
  const turnsUntil = async (answer: Promise<{ status: number }>) => {
    const got: { status?: number } = {}
    void answer.then(({ status }) => (got.status = status))
    let turns = 0
    while (got.status === undefined) {
      await vi.waitFor(() => expect(gates.length > 0 || got.status !== undefined).toBe(true), 10_000)
      if (got.status !== undefined) break
      gates.shift()?.()
      turns += 1
    }
    return { turns, status: got.status }
  }
  const known = signIn(HOME, password)
  await waitFor(CLIENTS * EACH + 1)
  const atHome = await turnsUntil(known)
  expect(atHome.status).toBe(200)
  expect(atHome.turns).toBeLessThanOrEqual(3)

  const unknown = signIn(CAFE, password)
  await waitFor(CLIENTS * EACH + 2)
  const elsewhere = await turnsUntil(unknown)
  expect(elsewhere.status).toBe(200)
  expect(elsewhere.turns).toBeLessThanOrEqual(CLIENTS + 2)

  const over = Promise.all(flood)
  const opening = setInterval(() => gates.shift()?.(), 1)
  const statuses = (await over).map(({ status }) => status)
  clearInterval(opening)
  expect(new Set(statuses)).toEqual(new Set([401, 429]))
  expect(statuses.filter((status) => status === 429).length).toBeLessThanOrEqual(CLIENTS * EACH - 100)
})

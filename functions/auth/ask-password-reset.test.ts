import { describe, expect, it, vi } from 'vitest'
import { deliverDue } from '../../shared/app/notifications/deliver-notifications.ts'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { HOUR_MS, MINUTE_MS } from '../../shared/domain/durations.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld, type CallOptions } from '../../testing/worlds/identity-world.ts'
import askPasswordReset from './ask-password-reset.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()

async function registered({ isConfirmed = true } = {}) {
  const email = `${systemIds.uuid()}@example.org`
  const json = { email, password: 'correct horse battery staple' }
  const { body } = await world.call<SignedIn>(registerUser, { json, peer: aPeer() })
  if (isConfirmed) await world.sql`update users set email_confirmed_at = now() where id = ${body.user.id}`
  return { email, id: body.user.id }
}
let peers = 0
const aPeer = () => `198.51.100.${(peers += 1)}`
const ask = (email: string, options: CallOptions = {}) =>
  world.call<{ code: string } | null>(askPasswordReset, { json: { email }, peer: aPeer(), ...options })
const mailsOf = async (id: string) =>
  (
    await world.sql<{ body: string }[]>`
      select body from notifications where user_id = ${id} and type = 'password_reset'`
  ).map(({ body }) => body)

/** By then a mail that was asked for before would be there, too. */
async function othersAreSent() {
  const other = await registered()
  await ask(other.email)
  await vi.waitFor(async () => expect(await mailsOf(other.id)).toHaveLength(1))
}

describe('ask-password-reset', () => {
  it('sends a mail to the address of the account, and says so in the log', async () => {
    const user = await registered()
    expect((await ask(` ${user.email.toUpperCase()} `)).status).toBe(204)
    await vi.waitFor(async () => expect(await mailsOf(user.id)).toEqual([user.email]))
    await deliverDue(world.deps, 'cron/sweep-deliveries')
    expect(world.sent).toMatchObject([{}, { channel: 'email', to: user.email, title: 'Set a new password' }])
    expect((await world.eventsOf(user.id)).at(-1)).toMatchObject({
      type: 'auth.password.reset.requested',
      data: { actor: { type: 'system', id: 'auth' } },
    })
  })

  it('answers the same for an address that has no account', async () => {
    const user = await registered()
    const [known, unknown] = [await ask(user.email), await ask('nobody@example.org')]
    expect([unknown.status, unknown.body]).toEqual([known.status, known.body])
    expect([...unknown.headers.keys()]).toEqual([...known.headers.keys()])
  })

  it('answers before it has looked for an account, however slow the database is', async () => {
    const user = await registered()
    const never = () => new Promise<never>(() => {})
    const store = { ...world.deps.identity.store, loadLogin: never, commit: never }
    const identity = { ...world.deps.identity, store }
    const app = mountFunctions([askPasswordReset], { ...world.deps, identity })
    for (const email of [user.email, `${systemIds.uuid()}@example.org`]) {
      const answer = await app.request('/api/auth/password-reset', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email }),
      })
      expect(answer.status).toBe(204)
    }
  })

  it('sends one mail in five minutes to an address, whoever asks, and refuses alike where there is no account', async () => {
    const user = await registered()
    for (const email of [user.email, `${systemIds.uuid()}@example.org`]) {
      expect((await ask(email)).status).toBe(204)
      const again = await ask(email)
      expect([again.status, again.headers.get('retry-after')]).toEqual([429, '300'])
    }
    world.clock.advance(5 * MINUTE_MS)
    expect((await ask(user.email)).status).toBe(204)
    await vi.waitFor(async () => expect(await mailsOf(user.id)).toHaveLength(2))
  })

  it('lets a stranger ask five times a day for an address, and its owner all the same', async () => {
    const user = await registered()
    const [stranger, owner] = [aPeer(), aPeer()]
    const statuses: number[] = []
    for (let nth = 0; nth < 7; nth += 1) {
      statuses.push((await ask(user.email, { peer: stranger })).status)
      // Who comes too early has not asked.
      expect((await ask(user.email, { peer: owner })).status).toBe(nth < 5 ? 429 : 204)
      world.clock.advance(5 * MINUTE_MS)
    }
    expect(statuses).toEqual([204, 204, 204, 204, 204, 429, 429])
    world.clock.advance(24 * HOUR_MS)
    expect((await ask(user.email, { peer: stranger })).status).toBe(204)
  })

  it('refuses a client that asked twenty times in an hour, whatever the addresses', async () => {
    const peer = aPeer()
    const statuses = await Promise.all(
      Array.from({ length: 21 }, async () => (await ask(`${systemIds.uuid()}@example.org`, { peer })).status),
    )
    expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array<number>(20).fill(204), 429])
  })

  it('sends to an address that was never confirmed no more mails than ask to confirm it', async () => {
    const user = await registered({ isConfirmed: false })
    for (let nth = 0; nth < 4; nth += 1) {
      expect((await ask(user.email)).status).toBe(204)
      await othersAreSent()
      world.clock.advance(5 * MINUTE_MS)
    }
    expect(await mailsOf(user.id)).toHaveLength(2)
  })

  it('sends nothing for who signs in elsewhere', async () => {
    const email = `${systemIds.uuid()}@example.org`
    const { id } = await world.external({ email })
    expect((await ask(email)).status).toBe(204)
    await othersAreSent()
    expect(await mailsOf(id)).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { HOUR_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import askConfirmation from './ask-confirmation.ts'
import confirmAddress from './confirm-address.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()

async function registered() {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: 'correct horse' } })
  return { email, id: body.user.id, token: body.access_token, refresh: body.refresh_token }
}
const ask = async (id: string) =>
  world.call<{ code: string } | null>(askConfirmation, { token: (await openSession(world.deps, id)).token })
const mailsTo = async (id: string) =>
  (
    await world.sql`select d.id from deliveries d join notifications n on n.id = d.notification_id
      where d.user_id = ${id} and n.type = 'confirmation' and channel = 'email' and state = 'triggered'`
  ).length

describe('ask-confirmation', () => {
  it('sends another mail an hour after the one of the registration, and one of many who ask at once', async () => {
    const { id } = await registered()
    expect(await mailsTo(id)).toBe(1)
    world.clock.advance(HOUR_MS - 1000)
    const early = await ask(id)
    expect([early.status, early.body?.code, early.headers.get('retry-after')]).toEqual([
      429,
      'auth.rate_limited',
      '1',
    ])
    world.clock.advance(1000)
    const all = await Promise.all(Array.from({ length: 5 }, () => ask(id)))
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 429, 429, 429, 429])
    expect(await mailsTo(id)).toBe(2)
  })

  it('sends three to an address in 30 days, that of the registration included, whoever asks', async () => {
    const { id } = await registered()
    const statuses: number[] = []
    for (let nth = 0; nth < 4; nth += 1) {
      world.clock.advance(HOUR_MS)
      statuses.push((await ask(id)).status)
    }
    expect([statuses, await mailsTo(id)]).toEqual([[204, 204, 429, 429], 3])
    world.clock.advance(26 * 24 * HOUR_MS)
    const late = await ask(id)
    expect([late.status, late.headers.get('retry-after')]).toEqual([429, String((4 * 24 - 4) * 60 * 60)])
    world.clock.advance(4 * 24 * HOUR_MS)
    expect((await ask(id)).status).toBe(204)
    expect(await mailsTo(id)).toBe(4)
  })

  it('sends none to an address that is confirmed, and to nobody who has none', async () => {
    const { id, email } = await registered()
    const until = new Date(world.clock.now().getTime() + HOUR_MS)
    await world.call(confirmAddress, {
      json: { token: await world.identity.links.confirmation(id, email, until) },
    })
    world.clock.advance(2 * HOUR_MS)
    expect((await ask(id)).status).toBe(204)
    expect(await mailsTo(id)).toBe(1)
    const external = await world.external()
    expect((await ask(external.id)).status).toBe(204)
    expect(await mailsTo(external.id)).toBe(0)
  })
})

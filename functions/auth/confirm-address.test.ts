import { describe, expect, it } from 'vitest'
import type { MeView, SignedIn } from '../../shared/domain/auth/identity.ts'
import { DAY_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import confirmAddress from './confirm-address.ts'
import getMe from './get-me.ts'
import registerUser from './register-user.ts'

const world = await identityWorld()

async function registered() {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: 'correct horse' } })
  return { email, id: body.user.id, token: body.access_token }
}
const linkFor = ({ id, email }: { id: string; email: string }, days = 1) =>
  world.identity.links.confirmation(id, email, new Date(world.clock.now().getTime() + days * DAY_MS))
const confirm = (token: string) => world.call<{ code: string } | null>(confirmAddress, { json: { token } })
const confirmedAt = async (token: string) =>
  (await world.call<MeView>(getMe, { token })).body.email_confirmed_at
const gone = { status: 410, body: { code: 'auth.invalid_link' } }

describe('confirm-address', () => {
  it('confirms the address of the link, once, however often it is followed', async () => {
    const user = await registered()
    expect(await confirmedAt(user.token)).toBeNull()
    const link = await linkFor(user)
    const all = await Promise.all(Array.from({ length: 5 }, () => confirm(link)))
    expect(all.map(({ status }) => status)).toEqual(Array<number>(5).fill(204))
    const at = await confirmedAt(user.token)
    expect(at).toBe(world.clock.now().toISOString())
    world.clock.advance(1000)
    expect((await confirm(link)).status).toBe(204)
    expect(await confirmedAt(user.token)).toBe(at)
    const types = (await world.eventsOf(user.id)).map(({ type }) => type)
    expect(types.filter((type) => type === 'auth.email.confirmed')).toHaveLength(1)
  })

  it('refuses a link that is over', async () => {
    const user = await registered()
    const link = await linkFor(user)
    world.clock.advance(DAY_MS)
    expect(await confirm(link)).toMatchObject(gone)
    expect(await confirmedAt((await openSession(world.deps, user.id)).token)).toBeNull()
  })

  it('refuses a link of another address, of another user and for something else', async () => {
    const [user, other] = [await registered(), await registered()]
    const refused = [
      await linkFor({ id: user.id, email: other.email }),
      await linkFor({ id: systemIds.uuid(), email: user.email }),
      await world.identity.links.unsubscription(user.id, 'reminder'),
    ]
    for (const link of refused) expect(await confirm(link)).toMatchObject(gone)
    expect(await confirmedAt(user.token)).toBeNull()
  })

  it('refuses what was changed or made up', async () => {
    const user = await registered()
    const link = await linkFor(user)
    const [id = '', until = '', digest = '', signature = ''] = link.split('.')
    const forged = [
      '',
      '.',
      '...',
      'x',
      `${link}x`,
      link.slice(0, -1),
      link.toUpperCase(),
      `${id}.${until}.${digest}.`,
      ...[
        [id, 'zzzzzzzz', digest, signature],
        [systemIds.uuid(), until, digest, signature],
      ].map((parts) => parts.join('.')),
    ]
    for (const token of forged) expect([token, await confirm(token)]).toMatchObject([token, gone])
    expect(await confirmedAt(user.token)).toBeNull()
  })

  it('answers 422 without a token and 415 to a form', async () => {
    expect((await world.call(confirmAddress, { json: {} })).status).toBe(422)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await world.call(confirmAddress, { raw: 'token=x', headers })).status).toBe(415)
  })

  it('keeps nothing of a link', async () => {
    const user = await registered()
    const link = await linkFor(user)
    await confirm(link)
    const rows = await world.sql`select row_to_json(u) as row from users u where id = ${user.id}
      union all select row_to_json(n) from notifications n where user_id = ${user.id}
      union all select row_to_json(e) from events e where user_id = ${user.id}`
    expect(rows.length).toBeGreaterThan(2)
    expect(JSON.stringify(rows)).not.toContain(link.split('.').at(-1))
  })
})

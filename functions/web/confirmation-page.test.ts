import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import registerUser from '../auth/register-user.ts'
import confirmationPage from './confirmation-page.ts'

const world = await identityWorld()
const app = mountFunctions([confirmationPage], world.deps)

async function link() {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: 'correct horse' } })
  const until = new Date(world.clock.now().getTime() + 1000)
  const token = await world.identity.links.confirmation(body.user.id, email, until)
  return { path: `/confirm?token=${token}`, id: body.user.id }
}
const open = async (path: string, method = 'GET') => {
  const answer = await app.request(path, { method })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}
const isConfirmed = async (id: string) => (await world.identity.store.findUser(id))?.emailConfirmedAt !== null

describe('the page of a confirmation link', () => {
  it('does nothing when a mail server or a browser looks at it', async () => {
    const { path, id } = await link()
    for (const method of ['GET', 'HEAD', 'GET']) expect((await open(path, method)).status).toBe(200)
    expect(await isConfirmed(id)).toBe(false)
  })

  it('has a button that confirms, as often as it is pressed', async () => {
    const { path, id } = await link()
    expect((await open(path)).text).toContain('<form method="post">')
    for (let nth = 0; nth < 2; nth += 1) {
      const { status, text } = await open(path, 'POST')
      expect([status, text]).toEqual([200, expect.stringContaining('Your address is confirmed')])
    }
    expect(await isConfirmed(id)).toBe(true)
  })

  it('says when a link is over or none of ours', async () => {
    const { path, id } = await link()
    world.clock.advance(1000)
    for (const address of [path, '/confirm', '/confirm?token=<script>']) {
      const { status, text } = await open(address, 'POST')
      expect([status, text]).toEqual([410, expect.stringContaining('This link is invalid or has expired')])
      expect(text).not.toContain('<script')
    }
    expect(await isConfirmed(id)).toBe(false)
  })

  it('runs no script, is kept nowhere, framed by nobody, and tells nobody its address', async () => {
    const { headers, text } = await open((await link()).path)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none';.*frame-ancestors 'none'/)
    expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual([
      'no-store',
      'no-referrer',
    ])
    expect(text).not.toMatch(/<script|https?:/)
  })
})

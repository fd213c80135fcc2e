import { describe, expect, it } from 'vitest'
import type { SignedIn } from '../../shared/domain/auth/identity.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import logIn from '../auth/log-in.ts'
import registerUser from '../auth/register-user.ts'
import resetPage from './reset-page.ts'

const world = await identityWorld()
const app = mountFunctions([resetPage], world.deps)
const OLD = 'correct horse battery staple'

async function link() {
  const email = `${systemIds.uuid()}@example.org`
  const { body } = await world.call<SignedIn>(registerUser, { json: { email, password: OLD } })
  const token = await world.resetLink({ id: body.user.id, email })
  return { path: `/reset-password?token=${token}`, email }
}
const open = async (path: string, password?: string) => {
  const form = password !== undefined && { method: 'POST', body: new URLSearchParams({ password }) }
  const answer = await app.request(path, { ...form })
  return { status: answer.status, text: await answer.text() }
}
const signIn = async (email: string, password: string) =>
  (await world.call(logIn, { json: { email, password } })).status

describe('the page of a link to set a password', () => {
  it('asks for a new one, and sets it, as often as it is sent', async () => {
    const { path, email } = await link()
    const { status, text } = await open(path)
    expect([status, text]).toEqual([200, expect.stringContaining('type="password" name="password"')])
    for (let nth = 0; nth < 2; nth += 1)
      expect(await open(path, 'another horse battery')).toEqual({
        status: 200,
        text: expect.stringContaining('Your password is set'),
      })
    expect([await signIn(email, OLD), await signIn(email, 'another horse battery')]).toEqual([401, 200])
  })

  it.each([
    ['', 'at least 8 characters'],
    ['short', 'at least 8 characters'],
    ['trustno1', 'used most'],
  ])('says why it does not take %j, and asks again', async (password, reason) => {
    const { path, email } = await link()
    const { status, text } = await open(path, password)
    expect([status, text]).toEqual([422, expect.stringContaining(reason)])
    expect(text).toContain('<form method="post">')
    expect(await signIn(email, OLD)).toBe(200)
  })

  it('says when a link was used, is over or none of ours', async () => {
    const { path, email } = await link()
    await open(path, 'another horse battery')
    for (const address of [path, '/reset-password', '/reset-password?token=<script>']) {
      const { status, text } = await open(address, 'a third horse battery')
      expect([status, text]).toEqual([410, expect.stringContaining('This link is invalid or has expired')])
      expect(text).not.toContain('<script')
    }
    expect(await signIn(email, 'another horse battery')).toBe(200)
  })
})

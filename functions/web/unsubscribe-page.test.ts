import { describe, expect, it } from 'vitest'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { notificationService } from '../../testing/worlds/notification-service.ts'
import type { Client } from '../../testing/worlds/task-service.ts'
import unsubscribePage from './unsubscribe-page.ts'

const { deps, sql, newUser, prefer } = await notificationService()
const { links } = deps.identity
const app = mountFunctions([unsubscribePage], deps)

const channelsOf = async (user: Client) => {
  const { body } = await user.send('GET', '/api/notifications/preferences')
  return body as { channels: Record<string, string[]>; version: number }
}
/** As mail programs do it (RFC 8058 §3.2). */
const oneClick = async (token: string) =>
  app.request(`/unsubscribe?token=${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  })

describe('the page that ends mails', () => {
  it('ends those of one kind with one click and no sign-in, once, whoever clicks how often', async () => {
    const user = newUser()
    const token = await links.unsubscription(user.id, 'reminder')
    const answers = await Promise.all(Array.from({ length: 4 }, () => oneClick(token)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await channelsOf(user)).toMatchObject({
      channels: {
        reminder: ['in_app', 'web_push', 'mobile_push', 'webhook'],
        daily_digest: ['in_app', 'email'],
      },
      version: 1,
    })
    expect((await oneClick(token)).status).toBe(200)
    expect(await channelsOf(user)).toMatchObject({ version: 1 })
  })

  it('leaves all other preferences as they are, the time of the digest too', async () => {
    const user = newUser()
    await prefer(user, {
      daily_digest: { at: '07:00' },
      time_zone: 'Asia/Tokyo',
      channels: { notice: ['email'] },
    })
    const next = async () =>
      (await sql`select next_digest_at from notification_preferences where user_id = ${user.id}`)[0]
    const before = [await channelsOf(user), await next()]
    await oneClick(await links.unsubscription(user.id, 'notice'))
    expect([await channelsOf(user), await next()]).toMatchObject([
      { ...before[0], version: 2, channels: { notice: ['in_app'] } },
      before[1]!,
    ])
  })

  it('does nothing when it is only looked at', async () => {
    const user = newUser()
    const page = await app.request(`/unsubscribe?token=${await links.unsubscription(user.id, 'reminder')}`)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<form method="post">')])
    expect(await channelsOf(user)).toMatchObject({ version: 0 })
  })

  it('takes no token that is not ours', async () => {
    const user = newUser()
    const token = await links.unsubscription(user.id, 'notice')
    const confirmation = await links.confirmation(user.id, 'a@example.org', new Date())
    const forged = [
      token.replace('notice', 'reminder'),
      token.replace(user.id, newUser().id),
      confirmation,
      'x',
      '',
    ]
    for (const one of forged) expect((await oneClick(one)).status).toBe(410)
    expect(await channelsOf(user)).toMatchObject({ version: 0 })
  })
})

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { NotificationView } from '../../shared/domain/notifications/notification.ts'
import { mailsIn } from '../worlds/mailbox.ts'
import { product } from '../product/harness/product.ts'
import { allAsleep, followPods, until } from './harness/pods.ts'

const daybook = await product()
const pods = await followPods()
afterAll(pods.close)

/** When the mail about something came, in ms since the epoch. */
function mailedAt(title: string): number | undefined {
  const file = mailsIn(daybook.mailbox)
    .map((id) => join(daybook.mailbox, `${id}.eml`))
    .find((path) => readFileSync(path, 'utf8').includes(title))
  return file === undefined ? undefined : statSync(file).mtimeMs
}

it.each([
  { ahead: 70_000, rounds: 1, appMs: 1000, mailMs: 2000 },
  { ahead: 2000, rounds: 2, appMs: 5000, mailMs: 15_000 },
])('a reminder $ahead ms ahead comes with everything at zero', async ({ ahead, rounds, appMs, mailMs }) => {
  const user = await daybook.confirmedUser()
  for (let round = 0; round < rounds; round += 1) {
    await allAsleep(pods)
    const title = `Call ${crypto.randomUUID()}`
    const task = await user.create({ title })
    await until('the workers sleep', () => pods.living('reminders-worker').length === 0)
    const remindAt = Date.now() + ahead
    await user.does('POST', `/api/tasks/${task.id}/reminders`, {
      remind_at: new Date(remindAt).toISOString(),
    })
    let told: NotificationView | undefined
    await until('the notification', async () => {
      if (Date.now() < remindAt) return false
      const { items } = (await user.send('GET', '/api/notifications')).body as { items: NotificationView[] }
      told = items.find(({ task_id: id }) => id === task.id)
      return told !== undefined
    })
    await until('the mail', () => mailedAt(title) !== undefined)
    const late = { app: Date.parse(told!.created_at) - remindAt, mail: mailedAt(title)! - remindAt }
    console.log(
      `a reminder ${ahead} ms ahead: in the app ${late.app} ms late, by mail ${Math.round(late.mail)} ms late`,
    )
    expect(late.app).toBeLessThan(appMs)
    expect(late.mail).toBeLessThan(mailMs)
  }
})

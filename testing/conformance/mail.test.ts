import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMailRelay, type MailRelay } from '../../profiles/mail-relay/relay.ts'
import { createMailSender } from '../../shared/channels/send-mail.ts'
import { testLinks } from '../builders/links.ts'
import { createDaprClient } from '../../shared/dapr/client.ts'
import { readConfig } from '../../shared/config.ts'
import type { Notification } from '../../shared/domain/notifications/notification.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { temporaryDirectory } from '../sidecar/embedded-sidecar.ts'
import { component } from './harness/components.ts'
import { readMail } from './harness/read-mail.ts'
import { startSidecar, type Driver } from './harness/sidecar.ts'

// The whole way of a mail: our sender, a real sidecar with an HTTP binding, our relay, the mailbox.
const FROM = 'Daybook <daybook@example.org>'
let dapr: Driver
let relay: MailRelay
let dataDir: string

beforeAll(async () => {
  dataDir = await temporaryDirectory()
  relay = await startMailRelay(
    readConfig({ DAYBOOK_DATA_DIR: dataDir, MAIL_FROM: FROM, LOG_LEVEL: 'silent' }),
  )
  afterAll(() => relay.close())
  dapr = await startSidecar({
    hasPubsub: false,
    resources: [
      component('mail', 'bindings.http', {
        url: relay.url,
        securityTokenHeader: 'Authorization',
        securityToken: relay.authorization,
        errorIfNot2XX: 'false',
        direction: 'output',
      }),
    ],
  })
})

const send = (id: string, address: string, said: Partial<Notification> = {}) => {
  const client = createDaprClient({
    baseUrl: 'http://sidecar',
    timeoutMs: 10_000,
    fetch: (url, init) => dapr.call(new URL(url).pathname, init),
  })
  const sendMail = createMailSender(client, systemClock, {
    from: FROM,
    publicUrl: () => undefined,
    links: testLinks,
  })
  const now = systemClock.now()
  const notification: Notification = {
    id: systemIds.uuid(),
    userId: systemIds.uuid(),
    source: `event/${id}`,
    type: 'reminder',
    taskId: null,
    reminderId: null,
    title: 'Pay rent',
    body: 'Due at nine.',
    late: false,
    createdAt: now,
    readAt: null,
    ...said,
  }
  return sendMail({ id, notification }, { channel: 'email', address })
}

const mailbox = async () => {
  const folder = join(dataDir, 'mailbox')
  const names = await readdir(folder)
  return await Promise.all(names.map(async (name) => readMail(await readFile(join(folder, name), 'utf8'))))
}

describe('mail by HTTP binding', () => {
  it('brings 200 mails at once to their recipients, each with its own content and id', async () => {
    const sent = Array.from({ length: 200 }, (_, n) => ({
      id: systemIds.uuid(),
      address: `person-${n}@example.org`,
      title: `Blumen gießen ${n} 🌱`,
      body: `Nur für ${n}`,
    }))
    const results = await Promise.all(
      sent.map(({ id, address, title, body }) => send(id, address, { title, body })),
    )
    expect(results).toEqual(sent.map(() => ({ outcome: 'delivered' })))
    const byRecipient = new Map((await mailbox()).map((mail) => [mail.to, mail]))
    expect(byRecipient.size).toBe(200)
    for (const { id, address, title, body } of sent) {
      const mail = byRecipient.get(address)
      expect(mail).toMatchObject({ subject: `Reminder: ${title}`, messageId: `<${id}@example.org>` })
      expect(mail?.text).toBe(`${title}\n\n${body}\n`)
      expect(mail?.html).toContain(`<h1 dir="auto" style="font-size:20px;margin:0 0 16px">${title}</h1>`)
      expect(mail?.html).toContain(`>${body}</p>`)
    }
  })

  it('makes one mail of one delivery, however often and however concurrently it is sent', async () => {
    const id = systemIds.uuid()
    await Promise.all(Array.from({ length: 5 }, () => send(id, 'once@example.org')))
    expect(await send(id, 'once@example.org')).toEqual({ outcome: 'delivered' })
    expect((await mailbox()).filter(({ to }) => to === 'once@example.org')).toHaveLength(1)
  })

  it('refuses for good what is no address, and says nothing of it', async () => {
    expect(await send(systemIds.uuid(), 'a@example.org, b@example.org')).toEqual({
      outcome: 'refused',
      reason: 'the mail service answered 422',
    })
  })
})

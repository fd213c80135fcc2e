import { describe, expect, it } from 'vitest'
import { systemClock } from '../kit/system.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { createSenders } from './senders.ts'
import { aMessage, TITLE } from './testing/a-notification.ts'
import { outsideService } from './testing/outside.ts'
import { sidecarFor } from './testing/send-here.ts'

const ADDRESS = 'ada@example.org'
const service = await outsideService()
const dapr = await sidecarFor({ env: { DAYBOOK_MAIL_URL: `${service.url}/emails` } })

const create = (sidecar = dapr, publicUrl?: string) =>
  createSenders({
    dapr: sidecar,
    outbound: createSafeFetch({}),
    pushKeys: { get: async () => Promise.reject(new Error('not by this way')) },
    clock: systemClock,
    settings: { mailFrom: 'Daybook <daybook@example.com>', publicUrl, fcmProject: undefined },
  }).email
const destination = { channel: 'email', address: ADDRESS } as const

interface Mail {
  from: string
  to: string[]
  subject: string
  html: string
  text: string
  headers: Record<string, string>
}
const lastMail = () => JSON.parse(service.received.at(-1)!.body.toString()) as Mail

describe('mail', () => {
  it('hands the service one mail with subject, both bodies and an id that stays', async () => {
    const message = aMessage()
    expect(await create()(message, destination)).toEqual({ outcome: 'delivered' })
    const first = service.received.at(-1)!
    expect(first).toMatchObject({
      method: 'POST',
      path: '/emails',
      headers: { 'idempotency-key': message.id },
    })
    expect(lastMail()).toMatchObject({
      ...{ from: 'Daybook <daybook@example.com>', to: [ADDRESS], subject: `Reminder: ${TITLE}` },
      text: `${TITLE}\n\nDue at nine.\n`,
      headers: { 'Message-ID': `<${message.id}@example.com>`, 'Auto-Submitted': 'auto-generated' },
    })
    await create()(message, destination)
    expect(service.received.at(-1)!.body).toEqual(first.body)
  })

  it('shows what a user wrote as text, never as markup', async () => {
    const evil = '<img src=x onerror=alert(1)> & "quotes"'
    await create(dapr, 'https://daybook.example.org/?a&b')(
      aMessage({ title: evil, body: `${evil}\n<b>` }),
      destination,
    )
    const { html, text } = lastMail()
    expect(html).not.toContain('<img')
    expect(html).not.toContain('<b>')
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot;')
    expect(html).toContain('<a href="https://daybook.example.org/?a&amp;b">Open Daybook</a>')
    expect(text).toContain(`${evil}\n\n${evil}\n<b>\n\nOpen Daybook: https://daybook.example.org/?a&b\n`)
  })

  it('has a subject of one line, whatever the title', async () => {
    await create()(aMessage({ title: 'x\r\nBcc: eve@example.org\u2028y' }), destination)
    expect(lastMail().subject).toBe('Reminder: x Bcc: eve@example.org y')
  })

  it('does not say twice what a digest is', async () => {
    await create()(
      aMessage({ type: 'quiet_digest', title: 'While it was quiet: 2 notifications' }),
      destination,
    )
    expect(lastMail().subject).toBe('While it was quiet: 2 notifications')
  })

  it('says when it comes late', async () => {
    await create()(aMessage({ late: true }), destination)
    expect(lastMail().text).toContain('This comes later than it was due.')
  })

  it.each([
    [422, {}, { outcome: 'refused', reason: 'the mail service answered 422' }],
    [400, {}, { outcome: 'refused', reason: 'the mail service answered 400' }],
    [401, {}, { outcome: 'failed', reason: 'the mail service answered 401' }],
    [404, {}, { outcome: 'failed', reason: 'the mail service answered 404' }],
    [405, {}, { outcome: 'failed', reason: 'the mail service answered 405' }],
    [408, {}, { outcome: 'failed', reason: 'the mail service answered 408' }],
    [409, {}, { outcome: 'failed', reason: 'the mail service answered 409' }],
    [
      429,
      { 'retry-after': '3' },
      { outcome: 'failed', reason: 'the mail service answered 429', afterMs: 3000 },
    ],
    [500, {}, { outcome: 'failed', reason: 'the mail service answered 500' }],
  ])('takes the answer %i for what it means, and repeats nothing of it', async (status, headers, result) => {
    service.answers({ status, headers, body: `no mailbox ${ADDRESS}` })
    expect(await create()(aMessage(), destination)).toEqual(result)
  })

  it('fails, and names neither address nor title, when the service or the sidecar is away', async () => {
    const without = await sidecarFor({ env: { DAYBOOK_MAIL_URL: 'http://127.0.0.1:1' } })
    expect(await create(without)(aMessage(), destination)).toEqual({
      ...{ outcome: 'failed', reason: 'binding mail post: refused 500' },
    })
  })
})

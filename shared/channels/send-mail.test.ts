import { describe, expect, it } from 'vitest'
import { systemClock } from '../kit/system.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { createSenders } from './senders.ts'
import { aMessage, TITLE } from '../../testing/builders/a-notification.ts'
import { outsideService } from '../../testing/worlds/outside.ts'
import { sidecarFor } from '../../testing/worlds/send-here.ts'
import { testLinks } from '../../testing/builders/links.ts'

const ADDRESS = 'ada@example.org'
const service = await outsideService()
const dapr = await sidecarFor({ env: { DAYBOOK_MAIL_URL: `${service.url}/emails` } })

const create = (sidecar = dapr, publicUrl?: string, links = testLinks) =>
  createSenders({
    dapr: sidecar,
    outbound: createSafeFetch({}),
    pushKeys: { get: async () => Promise.reject(new Error('not by this way')) },
    clock: systemClock,
    links,
    settings: {
      mailFrom: 'Daybook <daybook@example.com>',
      publicUrl: () => publicUrl,
      fcmProject: undefined,
    },
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
      from: 'Daybook <daybook@example.com>',
      to: [ADDRESS],
      subject: `Reminder: ${TITLE}`,
      text: `${TITLE}\n\nDue at nine.\n`,
    })
    const { headers } = lastMail()
    const task = `<task.${message.notification.taskId}@example.com>`
    expect(headers).toEqual({
      'Message-ID': `<${message.id}@example.com>`,
      'Auto-Submitted': 'auto-generated',
      References: task,
      'In-Reply-To': task,
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
    expect(html.match(/<(h1|p) dir="auto"/g)).toHaveLength(2)
  })

  it('has a subject of one line, whatever the title', async () => {
    await create()(aMessage({ title: 'x\r\nBcc: eve@example.org\u2028y' }), destination)
    expect(lastMail().subject).toBe('Reminder: x Bcc: eve@example.org y')
  })

  it('does not say twice what a digest is', async () => {
    await create()(
      aMessage({ type: 'quiet_digest', title: 'During quiet hours: 2 notifications' }),
      destination,
    )
    expect(lastMail().subject).toBe('During quiet hours: 2 notifications')
  })

  it('names a page that ends mails of its kind, with one click where that is safe', async () => {
    const message = aMessage({ type: 'daily_digest', taskId: null })
    await create(dapr, 'https://daybook.example.org')(message, destination)
    const token = await testLinks.unsubscription(message.notification.userId, 'daily_digest')
    const page = `https://daybook.example.org/unsubscribe?token=${token}`
    const { headers, text, html } = lastMail()
    expect(headers).toEqual({
      'Message-ID': `<${message.id}@example.com>`,
      'Auto-Submitted': 'auto-generated',
      'List-Unsubscribe': `<${page}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    })
    expect(text).toContain(`Unsubscribe from these mails: ${page}\n`)
    expect(html).toContain(`<a href="${page}">`)
    await create(dapr, 'http://127.0.0.1:8080/')(message, destination)
    expect(lastMail().headers).toMatchObject({
      'List-Unsubscribe': `<http://127.0.0.1:8080/unsubscribe?token=${token}>`,
    })
    expect(lastMail().headers).not.toHaveProperty('List-Unsubscribe-Post')
  })

  it('asks to confirm an address by a link that says so, the same on every try', async () => {
    const message = aMessage({
      type: 'confirmation',
      taskId: null,
      title: 'Daybook notifications are enabled',
      body: '',
    })
    await create(dapr, 'https://daybook.example.org')(message, destination)
    const first = service.received.at(-1)!.body
    const { subject, text, html, headers } = lastMail()
    expect(subject).toBe('Confirm your address for Daybook')
    const [link = '', token = ''] = /https:\/\/daybook\.example\.org\/confirm\?token=(\S+)/.exec(text) ?? []
    expect(html).toContain(`<a href="${link}">`)
    expect(Object.keys(headers)).toEqual(['Message-ID', 'Auto-Submitted'])
    const said = await testLinks.readConfirmation(token)
    expect([said?.userId, said?.until, said?.isOf(ADDRESS), said?.isOf('eve@example.org')]).toEqual([
      message.notification.userId,
      new Date('2026-03-03T12:00:00.000Z'),
      true,
      false,
    ])
    await create(dapr, 'https://daybook.example.org')(message, destination)
    expect(service.received.at(-1)!.body).toEqual(first)
  })

  it('asks by a token where no pages are known', async () => {
    await create()(aMessage({ type: 'confirmation', taskId: null }), destination)
    const [, token = ''] = /POST \/api\/auth\/confirm within a day: (\S+)/.exec(lastMail().text) ?? []
    expect((await testLinks.readConfirmation(token))?.isOf(ADDRESS)).toBe(true)
  })

  it('says when it comes late', async () => {
    await create()(aMessage({ late: true }), destination)
    expect(lastMail().text).toContain('This notification is late.')
  })

  it.each<[string, number[]]>([
    ['refused', [422, 400]],
    ['failed', [401, 404, 405, 408, 409, 500]],
  ])('has %s a message that is answered %j, and repeats nothing of it', async (outcome, statuses) => {
    for (const status of statuses) {
      service.answers({ status, body: `no mailbox ${ADDRESS}` })
      const reason = `the mail service answered ${status}`
      expect(await create()(aMessage(), destination)).toEqual({ outcome, reason })
    }
  })

  it('waits as long as it is asked to', async () => {
    service.answers({ status: 429, headers: { 'retry-after': '3' } })
    const result = { outcome: 'failed', reason: 'the mail service answered 429', afterMs: 3000 }
    expect(await create()(aMessage(), destination)).toEqual(result)
  })

  it('fails, and names neither address nor title, when the service or the sidecar is away', async () => {
    const without = await sidecarFor({ env: { DAYBOOK_MAIL_URL: 'http://127.0.0.1:1' } })
    expect(await create(without)(aMessage(), destination)).toEqual({
      outcome: 'failed',
      reason: 'binding mail post: refused 500',
    })
  })

  it('lets who reads it set a new password, by a token that is another one on every try', async () => {
    const message = aMessage({ type: 'password_reset', taskId: null, body: ADDRESS })
    const token = /dbp_[0-9a-f]{64}/
    await create(dapr, 'https://daybook.example.org/')(message, destination)
    const { subject, text, html, headers } = lastMail()
    expect(subject).toBe('Set a new password for Daybook')
    expect(text).toContain('within 30 minutes')
    expect(html).toMatch(/<a href="https:\/\/daybook\.example\.org\/reset-password\?token=dbp_[0-9a-f]{64}">/)
    expect(headers).not.toHaveProperty('List-Unsubscribe')
    await create()(message, destination)
    expect(lastMail().text).toMatch(/POST \/api\/auth\/password-reset\/confirm within 30 minutes: dbp_/)
    expect(token.exec(lastMail().text)?.[0]).not.toBe(token.exec(text)?.[0])
  })

  it('is not sent with a link that would lead nowhere', async () => {
    const mails = service.received.length
    const links = { ...testLinks, passwordReset: async () => null }
    const message = aMessage({ type: 'password_reset', taskId: null, body: ADDRESS })
    expect(await create(dapr, undefined, links)(message, destination)).toEqual({
      outcome: 'gone',
      reason: 'the password or the address has changed since this was asked for',
    })
    expect(service.received).toHaveLength(mails)
  })

  it.each([
    ['password_change', 'Your password for Daybook was changed'],
    ['address_change', 'Your address for Daybook is about to change'],
  ] as const)('tells of a %s without a link and without an address', async (type, wanted) => {
    await create(dapr, 'https://daybook.example.org')(
      aMessage({ type, taskId: null, body: ADDRESS }),
      destination,
    )
    const { subject, text, html } = lastMail()
    expect(subject).toBe(wanted)
    expect(`${text}${html}`).not.toMatch(/href|@/)
  })
})

import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readMail } from '../../dapr/conformance/testing/read-mail.ts'
import { temporaryDirectory } from '../../dapr/embedded/testing/embedded-sidecar.ts'
import { readConfig } from '../../shared/config.ts'
import { Mail } from './mail.ts'
import { smtpOutlet } from './outlets.ts'
import { createMailRelay, startMailRelay } from './relay.ts'
import { startSmtpServer } from './testing/smtp-server.ts'

const MAIL = {
  from: 'Daybook <daybook@example.org>',
  to: ['ada@example.org'],
  subject: 'Blumen gießen 🌱',
  html: '<p>Grüße</p>',
  text: 'Grüße\n.\nFrom here\n',
  headers: { 'Message-ID': '<1@example.org>', 'Auto-Submitted': 'auto-generated' },
}

async function relay(smtpUrl?: string) {
  const dataDir = await temporaryDirectory()
  const { url, close } = await startMailRelay({
    dataDir,
    mailRelay: { port: 0, smtpUrl },
    logLevel: 'silent',
  })
  afterAll(close)
  const post = async (mail: unknown, key?: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
        ...headers,
      },
      body: typeof mail === 'string' ? mail : JSON.stringify(mail),
    })
    return { status: answer.status, text: await answer.text() }
  }
  const folder = join(dataDir, 'mailbox')
  const files = async () => await readdir(folder).catch((): string[] => [])
  const read = async (file: string) => await readFile(join(folder, file), 'utf8')
  return { post, files, read, folder }
}

describe('the mailbox', () => {
  it('holds a mail as a file named by its key, with both bodies and its own id', async () => {
    const { post, files, read } = await relay()
    expect((await post(MAIL, 'delivery-1')).status).toBe(200)
    expect(await files()).toEqual(['delivery-1.eml'])
    const text = await read('delivery-1.eml')
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
    expect(readMail(text)).toMatchObject({
      ...{ from: 'Daybook <daybook@example.org>', to: 'ada@example.org', subject: MAIL.subject },
      ...{ messageId: '<1@example.org>', text: MAIL.text, html: MAIL.html },
    })
    expect(text).toMatch(/^Content-Type: multipart\/alternative;/m)
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(text).toMatch(/^Date: /m)
  })

  it('is for the eyes of its owner only', async () => {
    const { post, folder } = await relay()
    await post(MAIL, 'a')
    expect((await stat(folder)).mode & 0o077).toBe(0)
    expect((await stat(join(folder, 'a.eml'))).mode & 0o077).toBe(0)
  })

  it('gets one file for a key that is repeated, and one for each mail without a key', async () => {
    const { post, files } = await relay()
    await Promise.all(Array.from({ length: 5 }, () => post(MAIL, 'same')))
    await post(MAIL, 'same')
    expect(await files()).toEqual(['same.eml'])
    await Promise.all([post(MAIL), post(MAIL)])
    expect(await files()).toHaveLength(3)
  })

  it('takes a mail again that could not be written', async () => {
    const { post, files, folder } = await relay()
    await post(MAIL, 'first')
    await rm(folder, { recursive: true })
    await writeFile(folder, 'in the way')
    expect(await post(MAIL, 'second')).toMatchObject({ status: 503 })
    await rm(folder)
    expect((await post(MAIL, 'second')).status).toBe(200)
    expect(await files()).toEqual(['second.eml'])
  })

  it.each(['../evil', '.hidden', 'a/b', '%2e%2e%2f', 'x'.repeat(300)])(
    'never leaves its folder: key %s',
    async (key) => {
      const { post, files } = await relay()
      expect((await post(MAIL, key)).status).toBe(200)
      const [file, ...more] = await files()
      expect(more).toEqual([])
      expect(file).toMatch(/^[0-9a-f]{64}\.eml$/)
    },
  )

  it.each([
    ['a line break in the subject', { subject: 'x\r\nBcc: eve@example.org' }],
    ['a line break in a header', { headers: { 'Message-ID': '<1@x>\r\nBcc: eve@example.org' } }],
    ['a header of another name', { headers: { Bcc: 'eve@example.org' } }],
    ['a header name with a line break', { headers: { 'X-A\r\nBcc': 'eve@example.org' } }],
    ['two addresses in one', { to: ['ada@example.org, eve@example.org'] }],
    ['a group of addresses', { to: ['all:ada@example.org,eve@example.org;'] }],
    ['an address with a line break', { to: ['ada@example.org\r\nBcc: eve@example.org'] }],
    ['an address in brackets', { to: ['Ada <ada@example.org>'] }],
    ['nobody', { to: [] }],
    ['a sender of two', { from: 'a@example.org, Eve <eve@example.org>' }],
    ['a sender with a line break', { from: 'A\r\nBcc: eve@example.org <a@example.org>' }],
    ['no text', { text: undefined }],
  ])('takes no mail with %s, and repeats nothing of it', async (_, wrong) => {
    const { post, files } = await relay()
    const answer = await post({ ...MAIL, ...wrong })
    expect(answer.status).toBe(422)
    expect(answer.text).not.toContain('@')
    expect(await files()).toEqual([])
  })

  it.each([
    ['as a simple request', { 'content-type': 'text/plain', origin: 'https://evil.example' }, 403],
    ['as JSON, by a name that leads here', { origin: 'http://evil.example' }, 403],
    ['of no origin', { origin: 'null' }, 403],
    ['that says only whence it comes', { 'sec-fetch-site': 'cross-site' }, 403],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ])('takes no mail from a web page: %s', async (_, headers, status) => {
    const { post, files } = await relay()
    expect((await post(MAIL, 'k', headers)).status).toBe(status)
    expect(await files()).toEqual([])
  })

  it.each(['a@b.example', 'Daybook <a@b.example>', '<a@b.example>', 'Grüße (2) <a@b.example>'])(
    'takes every sender that MAIL_FROM may be: %s',
    (from) => {
      expect(readConfig({ MAIL_FROM: from }).mail.from).toBe(from)
      expect(Mail.safeParse({ ...MAIL, from }).success).toBe(true)
    },
  )

  it.each([
    'a@[10.0.0.1]',
    'a(b)@c.example',
    'a@b.example, c@d.example',
    '"A" <a@b.example>',
    'A\n<a@b.example>',
  ])('has no sender that it would refuse in MAIL_FROM: %s', (from) => {
    expect(() => readConfig({ MAIL_FROM: from })).toThrow('MAIL_FROM')
    expect(Mail.safeParse({ ...MAIL, from }).success).toBe(false)
  })

  it.each(['http://mail.example', 'smtp://', 'mail.example:25'])('passes nothing on to %s', (url) => {
    expect(() => readConfig({ MAIL_SMTP_URL: url })).toThrow('MAIL_SMTP_URL: must look like smtp://')
  })

  it('takes no body that is no JSON', async () => {
    const { post } = await relay()
    expect((await post('{')).status).toBe(422)
  })

  it('reads no file that a mail names', async () => {
    const { post, read } = await relay()
    const html = '<img src="file:///etc/hostname"><img src="/etc/hostname">'
    expect((await post({ ...MAIL, html, path: '/etc/hostname' }, 'k')).status).toBe(200)
    expect(readMail(await read('k.eml')).html).toBe(html)
  })
})

describe('with MAIL_SMTP_URL', () => {
  it('passes mail on: envelope, both bodies, its own id', async () => {
    const server = await startSmtpServer()
    const { post, files } = await relay(server.url)
    expect((await post(MAIL, 'k')).status).toBe(200)
    expect(await files()).toEqual([])
    const [mail, ...more] = server.mails
    expect(more).toEqual([])
    expect(mail).toMatchObject({ from: '<daybook@example.org>', to: ['<ada@example.org>'] })
    expect(readMail(mail!.data)).toMatchObject({
      ...{ subject: MAIL.subject, messageId: '<1@example.org>', text: MAIL.text, html: MAIL.html },
    })
  })

  it('brings 100 mails at once to their recipients, each key once', async () => {
    const server = await startSmtpServer()
    const { post } = await relay(server.url)
    const people = Array.from({ length: 50 }, (_, n) => `person-${n}@example.org`)
    const twice = [...people, ...people]
    await Promise.all(twice.map((to) => post({ ...MAIL, to: [to], subject: `For ${to}` }, to)))
    expect(server.mails.map(({ to }) => to.join()).toSorted()).toEqual(
      people.map((to) => `<${to}>`).toSorted(),
    )
    for (const { to, data } of server.mails) expect(`<${readMail(data).subject.slice(4)}>`).toBe(to[0])
  })

  it.each([
    ['550 no such user', 422],
    ['450 mailbox busy', 503],
  ])('tells %s apart, and repeats nothing of it', async (reply, status) => {
    const server = await startSmtpServer({ RCPT: reply })
    const { post } = await relay(server.url)
    const answer = await post(MAIL, 'k')
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain('ada')
  })

  it.each([
    ['554 go away', 422],
    ['451 greylisted', 503],
  ])('tells %s after the content apart', async (reply, status) => {
    const server = await startSmtpServer({ content: reply })
    const { post } = await relay(server.url)
    expect((await post(MAIL, 'k')).status).toBe(status)
  })

  it('tells no password to a server without TLS', async () => {
    const server = await startSmtpServer()
    const { post } = await relay(server.url.replace('//', '//ada:secret@'))
    expect((await post(MAIL, 'k')).status).toBe(503)
    expect(server.heard).toContain('STARTTLS')
    expect(server.heard.filter((line) => line.startsWith('AUTH'))).toEqual([])
  })

  it('says in the log why a mail cannot be passed on, and nothing of people', async () => {
    const logged: object[] = []
    const askOnce = async (server: { url: string }) => {
      const outlet = smtpOutlet(server.url)
      const app = createMailRelay(outlet, {
        warn: (fields: object | string) => logged.push(fields as object),
      })
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' }
      await app.request('/', { method: 'POST', headers, body: JSON.stringify(MAIL) })
      outlet.close()
    }
    const away = await startSmtpServer()
    await away.close()
    await askOnce(away)
    await askOnce(await startSmtpServer({ RCPT: '450 ada@example.org is busy' }))
    expect(logged).toEqual([
      { code: 'ESOCKET', reason: `connect ECONNREFUSED 127.0.0.1:${away.port}`, delivery_id: 'k' },
      { code: 'EENVELOPE', reply: 450, delivery_id: 'k' },
    ])
  })

  it('answers 503 while the server is away, and sends when it is asked again later', async () => {
    const server = await startSmtpServer()
    const { post } = await relay(server.url)
    await server.close()
    expect((await post(MAIL, 'k')).status).toBe(503)
    const back = await startSmtpServer({}, server.port)
    expect((await post(MAIL, 'k')).status).toBe(200)
    expect(back.mails).toHaveLength(1)
  })
})

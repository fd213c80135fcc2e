import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readMail } from '../../testing/conformance/harness/read-mail.ts'
import { temporaryDirectory } from '../../testing/sidecar/embedded-sidecar.ts'
import { readConfig } from '../../shared/config.ts'
import { Mail } from './mail.ts'
import { removeOldMail } from './old-mail.ts'
import { smtpOutlet } from './outlets.ts'
import { createMailRelay, startMailRelay } from './relay.ts'
import { startSmtpServer } from '../../testing/worlds/smtp-server.ts'

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
  const { url, authorization, close } = await startMailRelay(
    readConfig({
      DAYBOOK_DATA_DIR: dataDir,
      MAIL_SMTP_URL: smtpUrl,
      MAIL_FROM: MAIL.from,
      LOG_LEVEL: 'silent',
    }),
  )
  afterAll(close)
  const post = async (mail: unknown, key?: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        authorization,
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
  return { url, authorization, post, files, read, folder }
}

describe('the mailbox', () => {
  it('holds a mail as a file named by its key, with both bodies and its own id', async () => {
    const { post, files, read } = await relay()
    expect((await post(MAIL, 'delivery-1')).status).toBe(200)
    expect(await files()).toEqual(['delivery-1.eml'])
    const text = await read('delivery-1.eml')
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
    expect(readMail(text)).toMatchObject({
      from: 'Daybook <daybook@example.org>',
      to: 'ada@example.org',
      subject: MAIL.subject,
      messageId: '<1@example.org>',
      text: MAIL.text,
      html: MAIL.html,
    })
    expect(text).toMatch(/^Content-Type: multipart\/alternative;/m)
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    expect(text).toMatch(/^Date: /m)
  })

  it.each([
    'Reminder: =?utf-8?Q?=41?=',
    '=?utf-8?B?QQ==?= and =?iso-8859-1?q?=e4?=',
    `=?utf-8?Q?=41?= ${'Blumen gießen 🌱 '.repeat(20)}end`,
    'Is 1 =? 2',
  ])('has a subject that is read as it was typed: %s', async (subject) => {
    const { post, read } = await relay()
    await post({ ...MAIL, subject }, 'a')
    const text = await read('a.eml')
    expect(readMail(text).subject).toBe(subject)
    expect(Math.max(...text.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78)
  })

  it('passes on what threads mails and what unsubscribes', async () => {
    const { post, read } = await relay()
    const headers = {
      References: '<task.1@example.org>',
      'In-Reply-To': '<task.1@example.org>',
      'List-Unsubscribe': `<https://daybook.example.org/unsubscribe?token=${'x'.repeat(90)}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    }
    await post({ ...MAIL, headers }, 'a')
    const unfolded = `\r\n${(await read('a.eml')).replaceAll(/\r\n[ \t]+/g, ' ')}`
    for (const [name, value] of Object.entries(headers))
      expect(unfolded).toContain(`\r\n${name}: ${value}\r\n`)
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

  it.each(['../../scripts/evil', '.hidden', 'a/b', '%2e%2e%2f', 'x'.repeat(300)])(
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

  it.each([
    ['none', undefined],
    ['another', 'Bearer 0123456789abcdef'],
    ['the beginning of it', (authorization: string) => authorization.slice(0, -1)],
    ['it and more', (authorization: string) => `${authorization}0`],
    ['it without its kind', (authorization: string) => authorization.replace('Bearer ', '')],
  ])('takes no mail from who shows not its token but %s', async (_, shown) => {
    const { url, authorization, files } = await relay()
    const value = typeof shown === 'function' ? shown(authorization) : shown
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(value !== undefined && { authorization: value }) },
      body: JSON.stringify(MAIL),
    })
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await files()).toEqual([])
  })

  it('does not start by itself without one', async () => {
    const env = { PATH: '/usr/bin:/bin', DAYBOOK_DATA_DIR: await temporaryDirectory() }
    const program = new URL('./start.ts', import.meta.url).pathname
    const { status, stderr } = spawnSync(process.execPath, [program], { env, encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^Daybook: MAIL_RELAY_TOKEN is not set; .*\n$/)
  })

  it('asks for the token that it is given', async () => {
    const given = await startMailRelay(
      readConfig({ DAYBOOK_DATA_DIR: await temporaryDirectory(), MAIL_RELAY_TOKEN: 'a-token-of-mine-1' }),
    )
    afterAll(given.close)
    expect(given.authorization).toBe('Bearer a-token-of-mine-1')
    expect(() => readConfig({ MAIL_RELAY_TOKEN: 'short' })).toThrow('MAIL_RELAY_TOKEN')
  })

  it.each(['daybook@evil.example', 'Your bank <daybook@example.org>', 'daybook@example.org'])(
    'sends from MAIL_FROM only: %s',
    async (from) => {
      const { post, files } = await relay()
      expect((await post({ ...MAIL, from }, 'k')).status).toBe(403)
      expect(await files()).toEqual([])
      // It is a matter of settings: once they are mended, the same mail goes.
      expect((await post(MAIL, 'k')).status).toBe(200)
    },
  )

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

describe('mail that has lain in the mailbox', () => {
  const NOW = new Date('2027-03-15T12:00:00Z')
  const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000)

  it('for MAILBOX_DAYS is removed, also drafts that a crash has left; the rest stays', async () => {
    const folder = await temporaryDirectory()
    const lie = async (name: string, days: number) => {
      await writeFile(join(folder, name), 'text')
      await utimes(join(folder, name), daysAgo(days), daysAgo(days))
    }
    await lie('old.eml', 31)
    await lie('.old.tmp', 31)
    await lie('young.eml', 29)
    await lie('old-of-the-operator.txt', 31)
    expect(await removeOldMail(folder, daysAgo(30))).toBe(2)
    expect(await removeOldMail(folder, daysAgo(30))).toBe(0)
    expect((await readdir(folder)).toSorted()).toEqual(['old-of-the-operator.txt', 'young.eml'])
    expect(await removeOldMail(join(folder, 'nowhere'), daysAgo(30))).toBe(0)
  })

  it('is removed when the relay starts, after 30 days unless MAILBOX_DAYS says otherwise', async () => {
    expect(readConfig({}).mailRelay.mailboxDays).toBe(30)
    const dataDir = await temporaryDirectory()
    const folder = join(dataDir, 'mailbox')
    await mkdir(folder, { mode: 0o700 })
    for (const [name, days] of [
      ['old', 4],
      ['young', 2],
    ] as const) {
      await writeFile(join(folder, `${name}.eml`), 'text')
      const at = new Date(Date.now() - days * 86_400_000)
      await utimes(join(folder, `${name}.eml`), at, at)
    }
    const { close } = await startMailRelay(readConfig({ DAYBOOK_DATA_DIR: dataDir, MAILBOX_DAYS: '3' }))
    afterAll(close)
    await expect.poll(() => readdir(folder)).toEqual(['young.eml'])
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
      subject: MAIL.subject,
      messageId: '<1@example.org>',
      text: MAIL.text,
      html: MAIL.html,
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
      const log = { warn: (fields: object | string) => logged.push(fields as object) }
      const app = createMailRelay(outlet, log, { token: 't', from: MAIL.from })
      const headers = {
        authorization: 'Bearer t',
        'content-type': 'application/json',
        'idempotency-key': 'k',
      }
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

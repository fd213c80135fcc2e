import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testDatabase } from '../../shared/testing/database.ts'
import {
  embeddedSidecar,
  temporaryDirectory,
  testResources,
  type Driver,
} from './testing/embedded-sidecar.ts'

// The answers of the building blocks: dapr/conformance/. Here is what only the embedded sidecar has.
const MAIL = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: mail }
spec:
  type: bindings.smtp
  version: v1
  metadata: [{ name: emailFrom, value: Daybook <daybook@localhost> }]
`

describe('the mail binding', () => {
  const send = (dapr: Driver, metadata: Record<string, string>, data: unknown = '<p>Grüße</p>') =>
    dapr.call('/v1.0/bindings/mail', {
      method: 'POST',
      body: JSON.stringify({ operation: 'create', metadata, data }),
    })

  async function mailbox() {
    const dataDir = await temporaryDirectory()
    const dapr = await embeddedSidecar(await testDatabase(), { dataDir, resources: testResources(MAIL) })
    const read = async () => {
      await mkdir(join(dataDir, 'mailbox'), { recursive: true })
      const names = await readdir(join(dataDir, 'mailbox'))
      return await Promise.all(names.map((name) => readFile(join(dataDir, 'mailbox', name), 'utf8')))
    }
    return { dapr, read }
  }

  it('puts a message into the mailbox folder', async () => {
    const { dapr, read } = await mailbox()
    expect(
      (await send(dapr, { emailTo: 'a@example.org;b@example.org', subject: 'Water plants' })).status,
    ).toBe(204)
    const [message, ...more] = await read()
    expect(more).toHaveLength(0)
    expect(message).toContain('From: Daybook <daybook@localhost>\r\n')
    expect(message).toContain('To: a@example.org, b@example.org\r\n')
    expect(message).toContain('Subject: Water plants\r\n')
    expect(message).toMatch(/\r\n\r\n<p>Grüße<\/p>\r\n$/)
  })

  it('encodes a subject beyond ASCII in words that are short enough', async () => {
    const { dapr, read } = await mailbox()
    const subject = 'Blumen gießen 🌱 '.repeat(8).trim()
    await send(dapr, { emailTo: 'a@example.org', subject })
    const [message] = await read()
    const words = [...message!.matchAll(/=\?UTF-8\?B\?([^?]+)\?=/g)]
    expect(words.map(([, word]) => Buffer.from(word!, 'base64').toString()).join('')).toBe(subject)
    expect(Math.max(...words.map(([word]) => word.length))).toBeLessThanOrEqual(75)
  })

  it('lets no line break of a subject or address start a header', async () => {
    const { dapr, read } = await mailbox()
    await send(dapr, { emailTo: 'a@example.org\r\nX-Evil: 1', subject: 'x\r\nBcc: evil@example.org' })
    const [message] = await read()
    expect(message!.split('\r\n').map((line) => line.split(':')[0])).not.toContain('X-Evil')
    expect(message!.split('\r\n').map((line) => line.split(':')[0])).not.toContain('Bcc')
  })
})

import { createHash } from 'node:crypto'
import { access, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createTransport } from 'nodemailer'
import { systemIds } from '../../shared/kit/system.ts'
import { ownFolder, privateFolder } from '../../shared/private-folder.ts'
import type { Mail } from './mail.ts'

/** Where mail goes. `key` is the same when the same mail comes again. */
export interface Outlet {
  send(mail: Mail, key: string): Promise<void>
  close(): void
}

/** The mail server said that it will never take this mail (RFC 5321 §4.2.1, a reply 5yz to its sender or recipient). */
export class RefusedMail extends Error {
  constructor(reply: number) {
    super(`the mail server answered ${reply}`)
    this.name = 'RefusedMail'
  }
}

/** A mail must not make us read files or pages, whatever it contains. */
const CLOSED = { disableFileAccess: true, disableUrlAccess: true } as const

/** Writes each mail into the folder as `<key>.eml`, whole or not at all; the same key again is the same file. */
export function mailboxOutlet(folder: string): Outlet {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  return {
    async send(mail, key) {
      const path = join(folder, `${fileName(key)}.eml`)
      ownFolder(dirname(folder))
      privateFolder(folder)
      if (await exists(path)) return
      const { message } = await composer.sendMail({ ...mail, ...CLOSED })
      const draft = join(folder, `.${systemIds.uuid()}.tmp`)
      try {
        await writeFile(draft, message as Buffer, { flush: true, mode: 0o600 })
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true }) // half a mail would only fill the disk further
        throw error
      }
    },
    close: () => composer.close(),
  }
}

/**
 * Passes each mail on to an SMTP server, over at most five connections. A password is told over TLS only: whoever sits in
 * between can take STARTTLS out of what a server offers. `?requireTLS=false` in the URL tells it to any server.
 */
export function smtpOutlet(url: string): Outlet {
  const server = createTransport({
    url,
    pool: true,
    maxConnections: 5,
    requireTLS: new URL(url).password !== '',
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 15_000,
  })
  return {
    async send(mail) {
      try {
        await server.sendMail({ ...mail, ...CLOSED })
      } catch (error) {
        const { code, responseCode: reply = 0 } = error as { code?: string; responseCode?: number }
        const isOfThisMail = code === 'EENVELOPE' || code === 'EMESSAGE'
        if (isOfThisMail && reply >= 500) throw new RefusedMail(reply)
        throw error
      }
    },
    close: () => server.close(),
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const fileName = (key: string): string =>
  /^[\w-][\w.-]{0,99}$/.test(key) ? key : createHash('sha256').update(key).digest('hex')

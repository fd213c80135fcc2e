import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Config } from '../../shared/config.ts'
import { serve } from '../../shared/kit/serve.ts'
import { createLogger, type Logger } from '../../shared/observability/logger.ts'
import { Mail } from './mail.ts'
import { mailboxOutlet, RefusedMail, smtpOutlet, type Outlet } from './outlets.ts'

const MOST_BYTES = 1024 * 1024
const GRACE_MS = 10_000
/** Keys of mails that went out; who repeats one later than these makes a second mail with the same Message-ID. */
const MOST_KEYS = 10_000

export interface MailRelay {
  /** What the component `mail` names as its url. */
  url: string
  close(): Promise<void>
}

/**
 * A small mail service: `POST /` takes one mail as JSON and hands it to the outlet. A repeated Idempotency-Key is one
 * mail, also while the first is still under way. Answers 200 `{id}`, 403 to a page in a browser, 415 for another media
 * type, 422 for what is no mail or what the mail server will never take, 503 for everything that may be better next
 * time. Answers name no address. Why a mail could not be passed on is in the log, because only who runs the relay can help.
 */
export function createMailRelay(outlet: Outlet, log: Pick<Logger, 'warn'>): Hono {
  const underWay = new Map<string, Promise<void>>()

  function once(key: string, mail: Mail): Promise<void> {
    const earlier = underWay.get(key)
    if (earlier) return earlier
    const sending = outlet.send(mail, key)
    underWay.set(key, sending)
    sending.catch(() => underWay.delete(key))
    const [oldest] = underWay.keys()
    if (underWay.size > MOST_KEYS && oldest !== undefined) underWay.delete(oldest)
    return sending
  }

  const app = new Hono()
  app.post('/', bodyLimit({ maxSize: MOST_BYTES }), async (c) => {
    // A page anywhere can make a browser on this machine post here, by the address or by a name of its own that leads
    // here. Browsers say so with every POST (Fetch standard §3.2), and a form cannot send JSON.
    if (c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined) {
      return c.json({ error: 'mail is not taken from web pages' }, 403)
    }
    if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) {
      return c.json({ error: 'send the mail as application/json' }, 415)
    }
    const mail = Mail.safeParse(await c.req.json<unknown>().catch(() => undefined))
    if (!mail.success) {
      const [issue] = mail.error.issues
      return c.json({ error: `${issue?.path.join('.')}: ${issue?.message}` }, 422)
    }
    const key = c.req.header('idempotency-key') ?? randomUUID()
    try {
      await once(key, mail.data)
      return c.json({ id: key })
    } catch (error) {
      if (error instanceof RefusedMail) return c.json({ error: error.message }, 422)
      log.warn({ ...whyNot(error), delivery_id: key }, 'a mail cannot be passed on just now')
      return c.json({ error: 'the mail cannot be passed on just now' }, 503)
    }
  })
  return app
}

/** What the mail server says may name people, so of its answer only the number is told. */
function whyNot(error: unknown): { code?: string; reply?: number; reason?: string } {
  const {
    code,
    responseCode: reply,
    message,
  } = error as Partial<Record<'code' | 'message', string>> & { responseCode?: number }
  return {
    ...(code !== undefined && { code }),
    ...(reply !== undefined ? { reply } : message !== undefined && { reason: message }),
  }
}

/** Listens on 127.0.0.1 until it is closed; mail goes to MAIL_SMTP_URL or else into `<dataDir>/mailbox/`. */
export async function startMailRelay({
  mailRelay,
  dataDir,
  logLevel,
}: Pick<Config, 'mailRelay' | 'dataDir' | 'logLevel'>): Promise<MailRelay> {
  const { smtpUrl, port } = mailRelay
  const outlet = smtpUrl === undefined ? mailboxOutlet(join(dataDir, 'mailbox')) : smtpOutlet(smtpUrl)
  const log = createLogger({ level: logLevel, service: 'mail-relay' })
  const server = await serve(createMailRelay(outlet, log).fetch, { host: '127.0.0.1', port }).catch(
    (error: unknown) => {
      if ((error as { code?: string }).code !== 'EADDRINUSE') throw error
      throw new Error(`port ${port} is in use; stop what uses it or set MAIL_RELAY_PORT to another.`)
    },
  )
  return {
    url: `http://127.0.0.1:${server.port}/`,
    async close() {
      await server.close(GRACE_MS)
      outlet.close()
    },
  }
}

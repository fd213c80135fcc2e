import { createHash, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Config } from '../../shared/config.ts'
import { serve } from '../../shared/kit/edge/serve.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { createLogger, type Logger } from '../../shared/observability/logger.ts'
import { Mail, mailbox } from './mail.ts'
import { keepMailbox } from './old-mail.ts'
import { mailboxOutlet, RefusedMail, smtpOutlet, type Outlet } from './outlets.ts'

const MAX_BYTES = 1024 * 1024
const GRACE_MS = 10_000
/** Keys of mails that went out; who repeats one later than these makes a second mail with the same Message-ID. */
const MAX_KEYS = 10_000

export interface MailRelay {
  /** What the component `mail` names as its url. */
  url: string
  /** What it asks of its callers: the whole value of their Authorization header. */
  authorization: string
  close(): Promise<void>
}

export interface RelayRules {
  /** Nobody may send without it. */
  token: string
  /** The one sender: an address, or a name and `<address>`. */
  from: string
}

/**
 * A small mail service: `POST /` takes one mail as JSON and hands it to the outlet. A repeated Idempotency-Key is one
 * mail, also while the first is still under way. Answers 200 `{id}`, 401 without the token, 403 to a page in a browser and
 * for a sender that is not ours, 415 for another media type, 422 for what is no mail or what the mail server will never take, 503 for everything that may be better next
 * time. Answers name no address. Why a mail could not be passed on is in the log, because only who runs the relay can help.
 */
export function createMailRelay(outlet: Outlet, log: Pick<Logger, 'warn'>, rules: RelayRules): Hono {
  const isOurs = compareWith(`Bearer ${rules.token}`)
  const sender = mailbox.parse(rules.from)
  const underWay = new Map<string, Promise<void>>()

  function once(key: string, mail: Mail): Promise<void> {
    const earlier = underWay.get(key)
    if (earlier) return earlier
    const sending = outlet.send(mail, key)
    underWay.set(key, sending)
    sending.catch(() => underWay.delete(key))
    const [oldest] = underWay.keys()
    if (underWay.size > MAX_KEYS && oldest !== undefined) underWay.delete(oldest)
    return sending
  }

  const app = new Hono()
  // Before the body: nothing of what a stranger sends is read.
  app.use(async (c, next) => {
    if (isOurs(c.req.header('authorization') ?? '')) return await next()
    log.warn({}, 'refused a mail without the token of the relay')
    return c.json({ error: 'the token of the mail relay is required' }, 401, {
      'www-authenticate': 'Bearer',
    })
  })
  app.post('/', bodyLimit({ maxSize: MAX_BYTES }), async (c) => {
    // A page anywhere can make a browser on this machine post here, by the address or by a name of its own that leads
    // here. Browsers say so with every POST (Fetch standard §3.2), and a form cannot send JSON.
    if (c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') !== undefined) {
      return c.json({ error: 'mail from web pages is refused' }, 403)
    }
    if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) {
      return c.json({ error: 'send the mail as application/json' }, 415)
    }
    const mail = Mail.safeParse(await c.req.json<unknown>().catch(() => undefined))
    if (!mail.success) {
      const [issue] = mail.error.issues
      return c.json({ error: `${issue?.path.join('.')}: ${issue?.message}` }, 422)
    }
    const { from } = mail.data
    if (from.address !== sender.address || from.name !== sender.name) {
      // Not of this mail but of two settings that differ, and mended without it.
      log.warn({}, 'refused a mail whose sender is not MAIL_FROM')
      return c.json({ error: 'from: mail goes out from MAIL_FROM only' }, 403)
    }
    const key = c.req.header('idempotency-key') ?? systemIds.uuid()
    try {
      await once(key, mail.data)
      return c.json({ id: key })
    } catch (error) {
      if (error instanceof RefusedMail) return c.json({ error: error.message }, 422)
      log.warn({ ...whyNot(error), delivery_id: key }, 'failed to pass on mail')
      return c.json({ error: 'failed to pass on the mail' }, 503)
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

/** In a time that tells nothing of what is expected. */
function compareWith(expected: string): (given: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(expected)
  return (given) => timingSafeEqual(digest(given), wanted)
}

/**
 * Listens on 127.0.0.1 until it is closed; mail goes to MAIL_SMTP_URL or else into `<dataDir>/mailbox/`, where it is kept
 * for MAILBOX_DAYS. The token is MAIL_RELAY_TOKEN, or made for this start.
 */
export async function startMailRelay({
  mailRelay,
  mail: { from },
  dataDir,
  logLevel,
}: Pick<Config, 'mailRelay' | 'mail' | 'dataDir' | 'logLevel'>): Promise<MailRelay> {
  const { smtpUrl, port, mailboxDays, token = systemIds.hex(32) } = mailRelay
  const folder = join(dataDir, 'mailbox')
  const outlet = smtpUrl === undefined ? mailboxOutlet(folder) : smtpOutlet(smtpUrl)
  const log = createLogger({ level: logLevel, service: 'mail-relay' })
  const server = await serve(createMailRelay(outlet, log, { token, from }).fetch, {
    host: '127.0.0.1',
    port,
  }).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'EADDRINUSE') throw error
    throw new Error(`port ${port} is in use; stop what uses it or set MAIL_RELAY_PORT to another.`)
  })
  const keeping = keepMailbox(folder, { days: mailboxDays, clock: systemClock, log })
  return {
    url: `http://127.0.0.1:${server.port}/`,
    authorization: `Bearer ${token}`,
    async close() {
      await keeping.stop()
      await server.close(GRACE_MS)
      outlet.close()
    },
  }
}

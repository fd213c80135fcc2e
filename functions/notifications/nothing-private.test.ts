import { expect, it } from 'vitest'
import { keepDeadLetter } from '../../shared/app/outbox/keep-dead-letter.ts'
import { createSenders } from '../../shared/channels/senders.ts'
import { OutboundError } from '../../shared/channels/safe-fetch.ts'
import { DaprError } from '../../shared/dapr/dapr-error.ts'
import { createDeadLetters } from '../../shared/db/outbox/dead-letters.ts'
import { createLogger } from '../../shared/observability/logger.ts'
import { table } from '../../scripts/dlq/table.ts'
import { notificationService } from '../../testing/worlds/notification-service.ts'
import { testLinks } from '../../testing/builders/links.ts'

const service = await notificationService()
const { newUser, reminded, tick, at, deps, account, prefer, sweep, entries, deadLetters, sql } = service

const TITLE = 'Biopsy results'
const ENDPOINT = 'https://push.example.org/capability-of-ada'
const TOKEN = 'registration-token-of-the-phone'
const HOOK = 'https://hooks.example.org/capability-of-the-hook'

/** What services and sidecars may say when something goes wrong: everything they were told. */
const quoting = (text: string) => Object.assign(new Error(`could not do ${text}`), { url: text, body: text })

it.each([
  [
    'every service is away',
    (told: string) =>
      new DaprError({ operation: 'binding mail post', kind: 'refused', status: 500, body: told }),
    (url: string) =>
      new OutboundError('unreachable', 'the other side cannot be reached', { cause: quoting(url) }),
  ],
  ['every sender has a defect', quoting, (url: string) => new TypeError(`cannot read ${url}`)],
])(
  'no title, address, endpoint, token or secret is logged, given as a reason or listed when %s',
  async (_, ofSidecar, ofOutside) => {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const secrets = { get: async () => Promise.reject(quoting('fcm-key-of-daybook')) }
    Object.assign(deps, {
      log: createLogger({ level: 'debug', service: 'test', destination }),
      senders: createSenders({
        dapr: {
          invokeBinding: async (_name, { data }) => Promise.reject(ofSidecar(JSON.stringify(data))),
          secrets,
        },
        outbound: { post: async (url) => Promise.reject(ofOutside(url)) },
        pushKeys: { get: async () => Promise.reject(quoting('vapid-key-of-daybook')) },
        clock: deps.clock,
        links: testLinks,
        settings: { mailFrom: 'daybook@example.org', publicUrl: () => undefined, fcmProject: 'project' },
      }),
      deadLetters: createDeadLetters(sql),
    })
    const user = newUser()
    const address = await account(user)
    await prefer(user, { webhook_url: HOOK })
    const id = deps.ids.uuid
    const keys = sql.json({ p256dh: 'p', auth: 'auth-of-the-browser' })
    await sql`insert into push_subscriptions values
      (${id()}, ${user.id}, 'web_push', ${`${ENDPOINT}/${user.id}`}, ${keys}, now(), now()),
      (${id()}, ${user.id}, 'mobile_push', ${`${TOKEN}-${user.id}`}, null, now(), now())`
    const [{ webhook_secret: secret } = { webhook_secret: '' }] = await sql<{ webhook_secret: string }[]>`
      select webhook_secret from notification_preferences where user_id = ${user.id}`

    await reminded(user, { title: TITLE, description: 'At the clinic' })
    let now = Date.parse('2026-03-02T08:05:00Z')
    at(new Date(now).toISOString())
    await tick()
    for (const seconds of [0, 1, 5, 30, 300]) {
      at(new Date((now += seconds * 1000)).toISOString())
      await sweep()
    }
    const tried = (await entries(user)).filter(({ channel }) => channel !== 'in_app')
    expect(tried.map(({ channel, state, attempts }) => `${channel} ${state} ${attempts}`).toSorted()).toEqual(
      ['email', 'mobile_push', 'web_push', 'webhook'].map((channel) => `${channel} failed 5`),
    )
    expect(deadLetters.length).toBeGreaterThan(0)
    for (const letter of deadLetters) {
      await keepDeadLetter({ body: Buffer.from(JSON.stringify(letter)), contentId: id() }, deps)
    }
    const listed = table(
      await deps.deadLetters.list({ state: 'all', limit: 100, after: null }),
      deps.clock.now(),
    )

    expect(lines.join('')).toContain('moved delivery to dead letters')
    const said = [...lines, ...tried.map(({ reason }) => String(reason)), ...listed].join('\n')
    for (const secretText of [
      TITLE,
      'clinic',
      address,
      user.id.concat('@'),
      ENDPOINT,
      TOKEN,
      HOOK,
      'hooks.example',
      'push.example',
      secret,
      'auth-of-the-browser',
      'key-of-daybook',
    ]) {
      expect(said).not.toContain(secretText)
    }
  },
)

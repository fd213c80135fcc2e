import {
  composeDeps,
  SYSTEM_RESOURCES,
  type ComposedDeps,
  type ProcessResources,
} from '../../functions/compose.ts'
import type { Message, ExternalChannel, SendResult } from '../../shared/app/notifications/ports.ts'
import type { Clock, Log } from '../../shared/app/ports.ts'
import { readConfig } from '../../shared/config.ts'
import type { Fetch } from '../../shared/dapr/transport.ts'
import type { Sql } from '../../shared/db/connect.ts'
import { FULL_SCOPE } from '../../shared/domain/auth/identity.ts'
import type { CloudEvent } from '../../shared/domain/cloud-event.ts'
import { invalidToken } from '../../shared/identity/tokens.ts'

/** The time at the beginning of a test unless it says otherwise, a Monday. */
const START = '2026-03-02T12:00:00.000Z'

/** What a test process reads of its environment. */
const ENVIRONMENT = {
  RATE_LIMIT_PER_SECOND: '0',
  LOG_REQUESTS: 'false',
  PUBLIC_URL: 'https://daybook.example',
  FCM_PROJECT: 'a-project',
}

/** scrypt that is over at once. */
const CHEAP = { N: 16, r: 1, p: 1 }

/** How the sidecar calls. */
export const APP_TOKEN = 'shown-by-the-sidecar'
export const asSidecar = { headers: { 'dapr-api-token': APP_TOKEN } }

/** A token of a user without an account, who is in UTC. (A colon would be no character of a bearer token, RFC 6750 §2.1.) */
export const tokenOf = (userId: string): string => `user.${userId}`

interface TestClock extends Clock {
  set(instant: string): void
  advance(ms: number): void
}

/** What a sender was asked to send, as far as tests look at it. */
interface Sent {
  id: string
  channel: ExternalChannel
  /** Address, endpoint, token or URL. */
  to: string
  title: string
  body: string
}

interface Logged {
  level: keyof Log
  fields: object
  message: string
}

/** A Daybook as every process composes it; what its process brings along is in the hands of the test. */
export interface TestDaybook {
  sql: Sql
  deps: ComposedDeps
  clock: TestClock
  /** Time zones of users without an account, by id. */
  zones: Map<string, string>
  /** What the broker has taken, in order. */
  published: { topic: string; event: CloudEvent }[]
  /** The broker hands on what it takes to `deliver`, and takes nothing while it is away. */
  broker: { isAway: boolean; deliver: (topic: string, event: CloudEvent) => Promise<void> }
  /** What was handed to a sender, in order, and how senders answer: by default everything is delivered. */
  sent: Sent[]
  channels: { answer: (sent: Sent) => SendResult | Promise<SendResult> }
  /** Jobs that the scheduler holds, by name, which refuses every call while it is away. */
  jobs: Map<string, { dueTime: Date; [field: string]: unknown }>
  scheduler: { isAway: boolean }
  logged: Logged[]
  /** How often there was something to publish. Nothing is published before the test does it. */
  wakes(): number
}

export interface TestDaybookOptions {
  /** Environment variables. */
  env?: Record<string, string>
  start?: string
  /** In place of those of a test. */
  resources?: Partial<ProcessResources>
}

/** One process on a database, which others may share. Nothing runs by itself: no cron function ticks, nothing is published. */
export function composeDaybook(sql: Sql, options: TestDaybookOptions = {}): TestDaybook {
  const { env, start = START, resources } = options
  const clock = clockAt(start)
  const zones: TestDaybook['zones'] = new Map()
  const logged: Logged[] = []
  const log = (level: Logged['level']) => (fields: object, message: string) =>
    void logged.push({ level, fields, message })
  const recorded = recordBroker()
  const channels = recordSenders()
  const scheduler = recordJobs()
  let woken = 0
  const composed = composeDeps(readConfig({ ...ENVIRONMENT, ...env }), {
    ...SYSTEM_RESOURCES,
    clock,
    sql,
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    sidecarFetch: scheduler.fetch,
    appToken: APP_TOKEN,
    createBroker: () => recorded.port,
    createPublisher: () => ({
      wake: () => void (woken += 1),
      state: () => ({ status: 'available', since: clock.now() }),
      stop: async () => {},
    }),
    createSenders: () => channels.port,
    scryptCost: CHEAP,
    ...resources,
  })
  return {
    sql,
    deps: { ...composed, authenticate: acceptTestTokens(zones, composed.authenticate) },
    clock,
    zones,
    published: recorded.published,
    broker: recorded.broker,
    sent: channels.sent,
    channels: channels.channels,
    jobs: scheduler.jobs,
    scheduler: scheduler.scheduler,
    logged,
    wakes: () => woken,
  }
}

function clockAt(start: string): TestClock {
  let now = Date.parse(start)
  return {
    now: () => new Date(now),
    set: (instant) => void (now = Date.parse(instant)),
    advance: (ms) => void (now += ms),
  }
}

/** Users without an account cost no signature; every other token is checked as it always is. */
const acceptTestTokens =
  (zones: Map<string, string>, authenticate: ComposedDeps['authenticate']): typeof authenticate =>
  async (token, admitLookup) => {
    if (!token.startsWith('user.')) return authenticate(token, admitLookup)
    const userId = token.slice(tokenOf('').length)
    if (!/^[0-9a-f-]{36}$/.test(userId)) throw invalidToken()
    const timeZone = zones.get(userId) ?? 'UTC'
    return { userId, view: { type: 'user', id: userId }, timeZone, scopes: [FULL_SCOPE] }
  }

function recordBroker() {
  const published: TestDaybook['published'] = []
  const broker: TestDaybook['broker'] = { isAway: false, deliver: async () => {} }
  const port: ComposedDeps['broker'] = {
    eventsPerUser: 1,
    publishAll: async (topic, events) => {
      if (broker.isAway) throw new Error('the broker is away')
      for (const event of events) {
        published.push({ topic, event })
        await broker.deliver(topic, event)
      }
      return new Set()
    },
  }
  return { published, broker, port }
}

function recordSenders() {
  const sent: Sent[] = []
  const channels: TestDaybook['channels'] = { answer: () => ({ outcome: 'delivered' }) }
  const sender =
    <Destination>(channel: ExternalChannel, addressOf: (destination: Destination) => string) =>
    async ({ id, notification: { title, body } }: Message, destination: Destination) => {
      const one: Sent = { id, channel, to: addressOf(destination), title, body }
      sent.push(one)
      return channels.answer(one)
    }
  const port: ComposedDeps['senders'] = {
    email: sender('email', ({ address }) => address),
    web_push: sender('web_push', ({ endpoint }) => endpoint),
    mobile_push: sender('mobile_push', ({ token }) => token),
    webhook: sender('webhook', ({ url }) => url),
  }
  return { sent, channels, port }
}

/** A sidecar that answers yes to everything. */
export const obligingSidecar: Fetch = async () => new Response(null, { status: 204 })

/** The same, which keeps the jobs that it is given. */
function recordJobs() {
  const jobs: TestDaybook['jobs'] = new Map()
  const scheduler = { isAway: false }
  const fetch: Fetch = async (url, init) => {
    const name = /\/v1\.0\/jobs\/(.+)$/.exec(url)?.[1]
    if (name === undefined) return obligingSidecar(url, init)
    if (scheduler.isAway) return new Response(null, { status: 500 })
    if (init.method === 'DELETE') jobs.delete(name)
    else {
      const job = JSON.parse(init.body as string) as { dueTime: string }
      jobs.set(name, { ...job, dueTime: new Date(job.dueTime) })
    }
    return new Response(null, { status: 204 })
  }
  return { jobs, scheduler, fetch }
}

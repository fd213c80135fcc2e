import { ownNextOccurrences } from '../app/create-next-occurrence.ts'
import type { Clock, Deps, Ids } from '../app/ports.ts'
import type { CloudEvent } from '../domain/cloud-event.ts'
import { DomainError } from '../domain/errors.ts'
import { systemTimer } from '../kit/system.ts'
import { createMemoryIdentityStore } from './memory-identity-store.ts'
import { createMemoryTaskStores } from './memory-task-store.ts'

export interface TestClock extends Clock {
  advance(ms: number): void
}

/** Deps of a Daybook in memory, and what a test may want to look at or turn. */
export interface TestDeps extends Deps {
  clock: TestClock
  /** What was handed to the broker, in order. */
  published: { topic: string; event: CloudEvent }[]
  logged: { level: 'info' | 'warn' | 'error'; fields: object; message: string }[]
  /** How often there was something to publish. */
  wakes(): number
}

/** The token of a user. (A colon would be no character of a bearer token, RFC 6750 §2.1.) */
export const tokenOf = (userId: string): string => `user.${userId}`

/**
 * All that a function may use, in memory: a clock that stands at Monday noon until it is moved, ids that count up, a
 * broker that takes everything, a sidecar and a database that answer, and tokens as {@link tokenOf} makes them.
 */
export function testDeps(overrides: Partial<Omit<Deps, 'clock'>> = {}): TestDeps {
  const published: TestDeps['published'] = []
  const logged: TestDeps['logged'] = []
  let woken = 0
  const log = (level: TestDeps['logged'][number]['level']) => (fields: object, message: string) =>
    void logged.push({ level, fields, message })
  const clock = clockAt('2026-03-02T12:00:00.000Z')
  const deps: Omit<TestDeps, 'nextOccurrences'> = {
    ...createMemoryTaskStores(),
    ...{ clock, ids: countingIds(), published, logged, wakes: () => woken },
    startTimer: systemTimer,
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    broker: {
      publishAll: async (topic, events) => {
        published.push(...events.map((event) => ({ topic, event })))
        return new Set()
      },
    },
    publishing: {
      wake: () => void (woken += 1),
      state: () => ({ status: 'available', since: clock.now() }),
    },
    sidecar: { outbound: async () => true },
    units: { forward: async () => Promise.reject(new Error('there is no other unit')) },
    ...onlyOnPostgres([
      ...(['dueReminders', 'alarms', 'notifications', 'notificationFeed', 'streams', 'deliveries'] as const),
      ...(['senders', 'preferences', 'subscriptions', 'deadLetters', 'outbound', 'pushKeys'] as const),
    ]),
    database: { ping: async () => true },
    identity: {
      store: createMemoryIdentityStore(),
      passwords: {
        hash: async (password) => `hash of ${password}`,
        amongFew: (_, work) => work(),
        inTurn: (work) => work(async (password, hash) => hash === `hash of ${password}`),
      },
      tokens: {
        issue: async ({ userId }) => tokenOf(userId),
        publicKeys: async () => ({ keys: [] }),
      },
    },
    authenticate: async (token) => {
      const userId = /^user\.([0-9a-f-]{36})$/.exec(token)?.[1]
      if (!userId) throw new DomainError('auth.invalid_token', 'This is no token of a test.')
      return { userId, view: { type: 'user', id: userId }, timeZone: 'UTC', scopes: [] }
    },
    settings: {
      ...{ appToken: 'shown-by-the-sidecar', issuer: 'urn:daybook:test', audience: 'daybook' },
      ...{ isTrustedProxy: () => false, hasMobilePush: true },
    },
    ...overrides,
  }
  return { nextOccurrences: ownNextOccurrences(deps), ...deps }
}

/** Ports without a double in memory: their tests have a database. */
const onlyOnPostgres = <Name extends keyof Deps>(names: readonly Name[]): Pick<Deps, Name> =>
  Object.fromEntries(names.map((name) => [name, {}])) as Pick<Deps, Name>

function clockAt(start: string): TestClock {
  let now = Date.parse(start)
  return { now: () => new Date(now), advance: (ms) => void (now += ms) }
}

/** Ids that look like UUID v7 and ascend; "random" bytes that count up as well. */
function countingIds(): Ids {
  let last = 0
  const next = () => (last += 1).toString(16)
  return {
    uuid: () => `019c0000-0000-7000-8000-${next().padStart(12, '0')}`,
    hex: (bytes) => next().padStart(bytes * 2, '0'),
  }
}

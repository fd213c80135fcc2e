import type { Ids } from '../../shared/app/ports.ts'
import type { Sql } from '../../shared/db/connect.ts'
import { createIds, createRandom, type Random } from './random.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { createTopics, type Topics } from './topics.ts'

/** How likely each disturbance is, every time it could happen. */
export interface Chaos {
  /** A process is killed at whatever it is waiting for. */
  kill: number
  /** The connection to PostgreSQL breaks: before a statement reaches it, or before its answer comes back. */
  lostConnection: number
  /** The broker takes a call only in part. */
  refusal: number
  /** A call to the broker fails; it has taken everything or nothing. */
  brokerFailure: number
  /** The broker is away for a while. */
  outage: number
  /** A client does not get its answer, or stops waiting for it, and asks again. */
  lostAnswer: number
  /** A message is delivered again although it is done or under way. */
  duplicate: number
  /** The sidecar does not hear that a message is done. */
  lostAck: number
  /** The sidecar does not wait for the end of its retry plan to make a message a dead letter. */
  deadLetter: number
  /** Messages of one user are delivered in any order. */
  disorder: number
  /** Minutes or days pass at once. */
  timeJump: number
}

const CALM: Chaos = {
  kill: 0,
  lostConnection: 0,
  refusal: 0,
  brokerFailure: 0,
  outage: 0,
  lostAnswer: 0,
  duplicate: 0,
  lostAck: 0,
  deadLetter: 0,
  disorder: 0,
  timeJump: 0.01,
}

/** Everything a run of one seed has in common. */
export interface World {
  readonly sql: Sql
  readonly random: Random
  readonly scheduler: Scheduler
  readonly topics: Topics
  readonly ids: Ids
  readonly chaos: Chaos
  /** So many events of one user the broker keeps in order in one call: one, or some. */
  readonly eventsPerUser: number
  /** How soon messages are delivered; where late, they come many at a time. */
  readonly deliveryPace: number
  /** Virtual time, ms since the epoch; processes see it with a skew of their own. */
  now: number
  /** The broker is away until then. */
  brokerBackAt: number
  /** Users whose writes are held back by a transaction (`exclusively`): PostgreSQL would make others wait. */
  readonly held: Set<string>
  /** The story so far, one line per step. */
  readonly story: string[]
  /** How often each disturbance was injected, and at what. */
  readonly injected: Map<string, number>
  /** Counts what happened. */
  note(what: string): void
  /** Whether a disturbance happens now. */
  injects(disturbance: keyof Chaos): boolean
  tell(line: string): void
  /** The end of all disturbances, so that the run can come to rest. */
  calmDown(): void
}

export interface WorldOptions {
  sql: Sql
  seed: number
  /** 12 hex digits; see {@link createIds}. */
  run: string
}

const START = Date.parse('2026-03-20T08:00:00Z')

export function createWorld({ sql, seed, run }: WorldOptions): World {
  const random = createRandom(seed)
  const chaos = drawChaos(random)
  const injected = new Map<string, number>()
  const note = (what: string) => void injected.set(what, (injected.get(what) ?? 0) + 1)
  const world: World = {
    sql,
    random,
    chaos,
    eventsPerUser: random.pick([1, 3]),
    deliveryPace: random.pick([0.4, 0.4, 0.05]),
    scheduler: createScheduler(),
    topics: createTopics(),
    ids: createIds(run, seed),
    // Around both changes of the clocks in Europe, and some days without one.
    now: START + random.pick([0, 3, 7, 217]) * 86_400_000,
    brokerBackAt: 0,
    held: new Set(),
    story: [],
    injected,
    note,
    injects: (disturbance) => {
      const does = random.chance(chaos[disturbance])
      if (does) note(disturbance)
      return does
    },
    tell: (line) => world.story.push(`${new Date(world.now).toISOString()} ${line}`),
    calmDown: () => Object.assign(chaos, { ...CALM, timeJump: 0 }),
  }
  return world
}

/** One run in eight is calm; the others have each disturbance with a chance of its own, so that they also meet alone. */
function drawChaos(random: Random): Chaos {
  if (random.chance(1 / 8)) return { ...CALM }
  const sometimes = (probability: number) =>
    random.chance(0.6) ? probability * (0.5 + random.below(100) / 100) : 0
  return {
    kill: sometimes(0.05),
    lostConnection: sometimes(0.06),
    refusal: sometimes(0.1),
    brokerFailure: sometimes(0.1),
    outage: sometimes(0.01),
    lostAnswer: sometimes(0.15),
    duplicate: sometimes(0.04),
    lostAck: sometimes(0.1),
    deadLetter: sometimes(0.8),
    disorder: random.chance(0.3) ? 1 : 0,
    timeJump: 0.01,
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerName } from '../../profiles/self-hosted/broker.ts'
import type { Part } from '../../profiles/self-hosted/part.ts'
import type { SelfHosted } from '../../profiles/self-hosted/start-self-hosted.ts'
import { sidecarOf } from '../../profiles/self-hosted/unit.ts'
import type { Random } from '../faults/random.ts'
import { startUnitReplica, type UnitReplica } from '../worlds/unit-replica.ts'

/** One thing that goes wrong. Resolves when it is over and what was disrupted is back. */
export interface Disruption {
  name: string
  /** Parts that must be up for it; a disruption of what is already down says nothing. */
  victims: readonly Part[]
  run(): Promise<void>
}

export interface Targets {
  daybook: SelfHosted
  broker: BrokerName
  /** A sidecar of the test itself. */
  observer: Part
  outageMs: number
  random: Random
}

/** Restarts come after growing pauses, and the scheduler waits for its own lease. */
const BACK_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 50
const CONSUMER = 'recurrence-worker'
/** One fires reminders, the other carries out what follows; a second of the first fires beside it. */
const REMINDERS = 'reminders-worker'
const NOTIFICATIONS = 'notifications-worker'

/** `first`: one of every kind, for each run. `all`: what chance picks from afterwards. */
export function disruptionsOf(field: Targets): { first: Disruption[]; all: Disruption[] } {
  const { daybook, broker, observer } = field
  const parts = [...daybook.parts.values()]
  const apps = daybook.units.map(({ id }) => daybook.part(id))
  const sidecars = [...apps.map(({ name }) => daybook.part(sidecarOf(name))), observer]
  const crashes = parts.map((part) => crash([part]))
  const pair = crash([daybook.part(CONSUMER), daybook.part(sidecarOf(CONSUMER))])
  const first = [
    outage(daybook.part(broker), field.outageMs),
    ...['scheduler', 'postgres', broker, 'tasks-api', sidecarOf('tasks-api')].map((name) =>
      crash([daybook.part(name)]),
    ),
    ...[REMINDERS, sidecarOf(REMINDERS), NOTIFICATIONS, sidecarOf(NOTIFICATIONS)].map((name) =>
      crash([daybook.part(name)]),
    ),
    rebalance(field, REMINDERS),
    pair,
    rebalance(field, CONSUMER),
    crash([daybook.part(sidecarOf(CONSUMER))]),
    crash([observer]),
    { ...crash([...parts, observer]), name: 'kill everything' },
  ]
  const together = [
    { ...crash(apps), name: 'kill every app' },
    { ...crash(sidecars), name: 'kill every daprd' },
  ]
  return {
    first,
    all: [...first, ...crashes, pair, rebalance(field, CONSUMER), rebalance(field, REMINDERS), ...together],
  }
}

/** SIGKILL from outside, all at once; Daybook brings them back by itself. */
function crash(victims: readonly Part[]): Disruption {
  return {
    name: `kill ${victims.map(({ name }) => name).join(' and ')}`,
    victims,
    run: async () => {
      const pids = victims.map(({ pid }) => pid)
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      await Promise.all(victims.map((part, nth) => untilBack(part, pids[nth]!)))
    },
  }
}

async function untilBack(part: Part, killed: number): Promise<void> {
  for (
    const end = Date.now() + BACK_WITHIN_MS;
    part.pid === killed || !part.isUp;
    await delay(LOOK_EVERY_MS)
  ) {
    if (Date.now() > end)
      throw new Error(`${part.name} is not back ${BACK_WITHIN_MS / 1000} s after its death`)
  }
}

/** Away for longer than a crash. */
function outage(part: Part, ms: number): Disruption {
  return {
    name: `take ${part.name} away for ${ms / 1000} s`,
    victims: [part],
    run: async () => {
      await part.kill()
      await delay(ms)
      await part.restart()
    },
  }
}

/** A second replica joins the consumer group while messages flow, then leaves it in order or dies. */
function rebalance({ daybook, broker, random }: Targets, unit: string): Disruption {
  return {
    name: `start a second ${unit} and end it`,
    victims: [daybook.part(unit), daybook.part(sidecarOf(unit)), daybook.part(broker)],
    run: async () => {
      const replica = await startInTime(daybook, unit)
      await delay(3000 + random.below(5000))
      await (random.chance(0.5) ? replica.kill() : replica.stop())
    },
  }
}

/** A sidecar does not start without its broker, which may be disrupted at the same time. */
async function startInTime(daybook: SelfHosted, unit: string): Promise<UnitReplica> {
  for (const end = Date.now() + BACK_WITHIN_MS; ; await delay(1000)) {
    try {
      return await startUnitReplica(daybook, unit)
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}

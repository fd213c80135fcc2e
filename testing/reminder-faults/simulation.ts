import { createNotificationReader } from '../../shared/db/notifications/notification-reader.ts'
import { carryOut, type Report } from '../faults/client.ts'
import type { Run } from '../faults/simulation.ts'
import type { Message } from '../faults/topics.ts'
import type { WorldOptions } from '../faults/world.ts'
import { comeToRest, CRONS } from './come-to-rest.ts'
import { drawReminderCommand } from './commands.ts'
import { judge } from './oracle.ts'
import { startReminderProcess, TIMER, type ReminderProcess, type ReminderSabotage } from './process.ts'
import { follow } from './reader.ts'
import { createRelay } from './relay.ts'
import { callback, deliverTo, request } from './sidecar.ts'
import { changeSettings, settleUsers } from './users.ts'
import { createReminderWorld, type ReminderWorld } from './world.ts'

export interface ReminderSimulationOptions extends WorldOptions {
  sabotage?: ReminderSabotage
}

const MAX_STEPS = 4000
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const JUMPS_MS = [
  -3 * 60 * MINUTE_MS,
  -10 * MINUTE_MS,
  -70_000,
  20_000,
  70_000,
  10 * MINUTE_MS,
  3 * 60 * MINUTE_MS,
]

/** Runs one seed: users, processes, the world outside and disturbances until everything has been due; then calm, rest, and the oracle. */
export async function simulateReminders({
  sabotage = {},
  ...options
}: ReminderSimulationOptions): Promise<Run> {
  const world = createReminderWorld(options)
  for (const [disturbance, chance] of Object.entries(sabotage.chaos ?? {})) {
    Object.assign(disturbance in world.disturbances ? world.disturbances : world.chaos, {
      [disturbance]: chance,
    })
  }
  try {
    return await live(world, options.seed, sabotage)
  } catch (cause) {
    throw new Error(`seed ${options.seed} does not end; ${world.story.slice(-5).join(' | ')}`, { cause })
  }
}

async function live(world: ReminderWorld, seed: number, sabotage: ReminderSabotage): Promise<Run> {
  const { random, scheduler, journal } = world
  await settleUsers(world)
  const relay = createRelay(world)
  const followers = world.users.map(({ id }) => follow(world, createNotificationReader(world.sql), id))
  const reports: Report[] = []
  const names = random.chance(0.3) ? ['A', 'B', 'C'] : ['A', 'B']
  const start = (slot: number) => startReminderProcess(world, names[slot]!, sabotage)
  const slots: (ReminderProcess | null)[] = names.map((_, slot) => start(slot))
  const living = () => slots.filter((process) => process !== null)
  let commandsLeft = 5 + random.below(14)
  let turnsLeft = 6
  let clients = 0
  const commandPace = random.pick([0.05, 0.1, 0.3])

  const command = async () => {
    clients += 1
    const { id } = random.pick(world.users)
    const drawn = await drawReminderCommand(world, id)
    reports.push(await carryOut(world, drawn, living))
    clients -= 1
  }
  const restart = (slot: number) => {
    world.tell(`${names[slot]} starts`)
    slots[slot] = start(slot)
  }
  const kill = (): boolean => {
    const kinds = Map.groupBy(
      scheduler
        .ready()
        .filter(({ life, label }) => life !== null && (!label.endsWith(TIMER) || random.chance(0.1))),
      (gate) => gate.label.slice(3).replaceAll(/\d+/g, 'n'),
    )
    if (kinds.size === 0) return false
    const [kind, victims] = random.pick([...kinds])
    const { life, label } = random.pick(victims)
    const slot = slots.findIndex((process) => process?.life === life)
    world.note(`kill at ${kind}`)
    world.tell(`${label} – killed`)
    slots[slot]!.kill()
    slots[slot] = null
    return true
  }
  const callBack = (path: string, init: RequestInit) => void request(world, random.pick(living()), path, init)
  const tick = (binding: string) => callBack(`/dapr/cron/${binding}`, callback('', 'application/json'))
  const deliver = (message: Message) => void deliverTo(world, message, random.pick(living()))

  /** A job whose time has come, or one that comes as it should not. */
  const job = (): string | undefined => {
    const stray = world.befalls('strayJob') && world.everSet.size > 0
    if (stray) return random.pick([...world.everSet])
    const due = [...world.jobs].filter(([, at]) => at <= world.now)
    if (due.length === 0) return undefined
    const [id] = random.pick(due)
    world.jobs.delete(id)
    return id
  }
  /** To about when something is due, or just on. */
  const jump = () => {
    const next = [...journal.upcoming.values()].filter((at) => at > world.now)
    const at = next.length > 0 && random.chance(0.8) ? Math.min(...next) : world.now
    world.now = Math.max(
      world.now,
      at + random.pick([-2, 0, 1, 3, 14, 16, 31, 65, 300, 620, 4000]) * SECOND_MS,
    )
  }
  const disturbances = () => {
    if (world.injects('outage')) world.brokerBackAt = world.now + random.below(400_000)
    if (world.befalls('sendersAway')) world.sendersBackAt = world.now + random.below(400_000)
    if (world.injects('timeJump')) jump()
    if (living().length > 0 && world.befalls('clockJump')) {
      const { timepiece, life } = random.pick(living())
      const isOff = Math.abs(timepiece.skewMs) > 5 * SECOND_MS
      timepiece.skewMs = isOff ? random.below(3000) - 1500 : random.pick(JUMPS_MS)
      world.tell(`${life.name}'s clock is ${timepiece.skewMs / SECOND_MS} s off`)
    }
  }

  /** One thing happens: a disturbance, something new, or one of those that wait goes on. False when there is nothing. */
  const step = async (): Promise<boolean> => {
    world.now += random.below(25)
    if (world.injects('kill') && kill()) return true
    const dead = slots.indexOf(null)
    if (dead >= 0 && (random.chance(0.15) || living().length === 0)) restart(dead)
    disturbances()
    if (commandsLeft > 0 && clients < 3 && random.chance(commandPace)) {
      commandsLeft -= 1
      void command()
      return true
    }
    if (random.chance(0.005)) await changeSettings(world, random.pick(world.users))
    if (random.chance(0.02)) await random.pick(followers).look()
    if (relay.hasMore && world.now >= world.brokerBackAt && random.chance(0.3)) relay.publish(false)
    if (living().length > 0) {
      if (random.chance(0.02) && !world.befalls('lostTick')) tick(random.pick(CRONS))
      const called = random.chance(0.1) ? job() : undefined
      if (called !== undefined) {
        world.tell(`scheduler: calls back about reminder ${called.slice(-3)}`)
        callBack(`/job/reminder-${called}`, callback('{}', 'application/json'))
      }
      const again = world.injects('duplicate')
      const message =
        random.chance(0.3) || again
          ? world.topics.next(random, { inDisorder: world.chaos.disorder > 0, again })
          : undefined
      if (message) {
        deliver(message)
        return true
      }
    }
    const ready = scheduler.ready()
    if (ready.length === 0) {
      if (commandsLeft > 0 || clients > 0) return true
      turnsLeft -= 1
      jump()
      return turnsLeft > 0
    }
    const gate = random.pick(ready)
    world.tell(gate.label)
    scheduler.open(gate)
    return true
  }

  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    await scheduler.settle()
    if (!(await step())) break
  }
  world.tell('calm')
  world.calmDown()
  for (const [slot, process] of slots.entries()) {
    if (process) process.timepiece.skewMs = random.below(3000) - 1500
    else restart(slot)
  }
  const isRestless = await comeToRest(world, {
    living,
    deliver,
    tick,
    publish: () => relay.publish(true),
    isAsking: () => clients > 0,
  })
  for (const follower of followers) await follower.look()
  const violations = await judge(world, { reports, followers, isRestless })
  for (const process of living()) process.kill()
  await scheduler.settle()
  return { seed, violations, story: world.story, injected: world.injected, reports }
}

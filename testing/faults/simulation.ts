import { carryOut, type Report } from './client.ts'
import { drawCommand } from './commands.ts'
import { checkWorld, type Violation } from './oracle.ts'
import { APP_TOKEN } from '../worlds/compose-daybook.ts'
import { startProcess, type Process, type Sabotage } from './process.ts'
import { Killed } from './scheduler.ts'
import type { Message } from './topics.ts'
import { createWorld, type World, type WorldOptions } from './world.ts'

export interface Run {
  seed: number
  violations: Violation[]
  /** One line per step, the same every time this seed runs. */
  story: string[]
  /** How often each disturbance was injected; kills also by what the process was doing. */
  injected: Map<string, number>
  reports: Report[]
}

export interface SimulationOptions extends WorldOptions {
  sabotage?: Sabotage
}

const MAX_STEPS = 5000
const MINUTE_MS = 60_000

/** Runs one seed: users, two processes, the broker and disturbances until the commands are done; then calm, rest, and the oracle. */
export async function simulate({ sabotage = {}, ...options }: SimulationOptions): Promise<Run> {
  const world = createWorld(options)
  Object.assign(world.chaos, sabotage.chaos)
  try {
    return await live(world, options.seed, sabotage)
  } catch (cause) {
    throw new Error(`seed ${options.seed} does not end; ${world.story.slice(-5).join(' | ')}`, { cause })
  }
}

async function live(world: World, seed: number, sabotage: Sabotage): Promise<Run> {
  const { random, scheduler } = world
  const users = Array.from({ length: 1 + random.below(3) }, () => world.ids.uuid())
  const reports: Report[] = []
  const slots: (Process | null)[] = [startProcess(world, 'A', sabotage), startProcess(world, 'B', sabotage)]
  const living = () => slots.filter((process) => process !== null)
  let commandsLeft = 8 + random.below(24)
  let clients = 0
  // From one command on the heels of another to some time for events in between.
  const commandPace = random.pick([0.05, 0.1, 0.3])

  const command = async () => {
    clients += 1
    const drawn = await drawCommand(world, random.pick(users))
    reports.push(await carryOut(world, drawn, living))
    clients -= 1
  }
  const deliver = (message: Message) => {
    const batch = random.chance(0.5) ? world.topics.batchOf(random, message) : [message]
    void deliverTo(world, batch, random.pick(living()), sabotage.answersEarly ?? false)
  }
  const tick = (binding: string) => void tickOf(world, random.pick(living()), binding)
  const restart = (slot: number) => {
    world.tell(`${'AB'[slot]} starts`)
    slots[slot] = startProcess(world, 'AB'[slot]!, sabotage)
  }
  const kill = (): boolean => {
    // Every kind of step is as likely, or most processes would die while they look for events to publish.
    const kinds = Map.groupBy(
      scheduler.ready().filter((gate) => gate.life !== null),
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

  /** One thing happens: a disturbance, something new, or one of those that wait goes on. False when there is nothing. */
  const step = (): boolean => {
    world.now += random.below(25)
    // Its transactions are rolled back before anything else happens.
    if (world.injects('kill') && kill()) return true
    const dead = slots.indexOf(null)
    if (dead >= 0 && (random.chance(0.15) || living().length === 0)) restart(dead)
    if (world.injects('outage')) world.brokerBackAt = world.now + random.below(20_000)
    if (world.injects('timeJump')) world.now += random.pick([1, 10, 600, 3000, 9000]) * MINUTE_MS
    if (commandsLeft > 0 && clients < 3 && random.chance(commandPace)) {
      commandsLeft -= 1
      void command()
      return true
    }
    if (living().length > 0 && random.chance(0.02))
      tick(random.pick(['relay-events-cron', 'sweep-series-cron']))
    const again = world.injects('duplicate')
    const message =
      random.chance(world.deliveryPace) || again
        ? world.topics.next(random, { inDisorder: world.chaos.disorder > 0, again })
        : undefined
    if (message && living().length > 0) {
      deliver(message)
      return true
    }
    const ready = scheduler.ready()
    if (ready.length === 0) return commandsLeft > 0 || clients > 0
    const gate = random.pick(ready)
    world.tell(gate.label)
    scheduler.open(gate)
    return true
  }

  const rest = () => comeToRest(world, deliver)

  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    await scheduler.settle()
    if (!step()) break
  }
  world.tell('calm')
  world.calmDown()
  for (const [slot, process] of slots.entries()) if (!process) restart(slot)
  const isAsking = () => clients > 0
  do await rest()
  while (isAsking())
  tick('relay-events-cron')
  await rest()
  const beforeSweep = await stuckSeries(world, users)
  world.now += 6 * MINUTE_MS
  for (const binding of ['sweep-series-cron', 'relay-events-cron']) {
    tick(binding)
    await rest()
  }
  const violations = await checkWorld(world, { users, reports, stuckBeforeSweep: beforeSweep })
  for (const process of living()) process.kill()
  await scheduler.settle()
  return { seed, violations, story: world.story, injected: world.injected, reports }
}

/** Opens every gate and delivers every message until nothing is left to do; pauses of publishers pass at once. */
async function comeToRest(world: World, deliver: (message: Message) => void): Promise<void> {
  const { random, scheduler, topics } = world
  for (let idle = 0; idle < 2;) {
    await scheduler.settle()
    const ready = scheduler.ready()
    const message = topics.next(random, { inDisorder: false, again: false })
    if (message && random.chance(0.5)) deliver(message)
    else if (ready.length > 0) {
      const gate = random.pick(ready)
      world.tell(gate.label)
      scheduler.open(gate)
    } else if (!message) {
      world.now += MINUTE_MS / 2
      idle += 1
      continue
    }
    idle = 0
  }
}

async function deliverTo(
  world: World,
  batch: readonly Message[],
  process: Process,
  early: boolean,
): Promise<void> {
  for (const message of batch) {
    world.topics.begin(message)
    const { event, deliveries } = message
    world.tell(
      `sidecar: ${event.type} ${Number(event.sequence)} to ${process.life.name}, delivery ${deliveries}`,
    )
    if (early) world.topics.finish(message, 'SUCCESS')
  }
  try {
    const [first] = batch
    const answer = await (batch.length === 1
      ? process.request(EVENTS, callback(JSON.stringify(first!.event), 'application/cloudevents+json'))
      : process.request(EVENTS, callback(JSON.stringify(toBulk(batch)), 'application/json')))
    const body = (await answer.json()) as Answered
    const statuses = new Map(body.statuses?.map(({ entryId, status }) => [entryId, status]))
    const told = batch.map(({ event }) => statuses.get(event.id) ?? body.status)
    await world.scheduler.gate(null, `sidecar: hears ${told.join()} for ${first!.event.type}`)
    if (!world.injects('lostAck')) {
      for (const [index, message] of batch.entries()) {
        const isDone = told[index] === 'SUCCESS'
        world.topics.finish(message, isDone ? 'SUCCESS' : 'RETRY', !isDone && world.injects('deadLetter'))
      }
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
  for (const message of batch) message.underWay -= 1
}

const EVENTS = '/dapr/events/task-events'

interface Answered {
  status?: 'SUCCESS' | 'RETRY'
  statuses?: { entryId: string; status: 'SUCCESS' | 'RETRY' }[]
}

/** What daprd sends to a subscription with `bulkSubscribe`. */
const toBulk = (batch: readonly Message[]) => ({
  type: 'com.dapr.event.sent.bulk',
  entries: batch.map(({ event }) => ({ entryId: event.id, event })),
})

async function tickOf(world: World, process: Process, binding: string): Promise<void> {
  world.tell(`sidecar: ${binding} on ${process.life.name}`)
  try {
    await process.request(`/dapr/cron/${binding}`, callback('', 'application/json'))
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
}

const callback = (body: string, type: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'dapr-api-token': APP_TOKEN, 'content-type': type },
})

const stuckSeries = async (world: World, users: readonly string[]): Promise<string[]> => {
  const rows = await world.sql<{ id: string }[]>`
    select id from series where user_id = any(${[...users]}::uuid[]) and state = 'active' and live_task_id is null`
  return rows.map((row) => row.id)
}

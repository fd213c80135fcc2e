import type { Message } from '../faults/topics.ts'
import { TIMER, type ReminderProcess } from './process.ts'
import type { ReminderWorld } from './world.ts'

/** So often time moves on to what is due next. */
const MAX_TURNS = 600
/** Between two moves of time. */
const MAX_STEPS = 5000
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
export const CRONS = ['sweep-reminders-cron', 'sweep-deliveries-cron', 'sweep-series-cron']

interface Rest {
  living: () => ReminderProcess[]
  deliver: (message: Message) => void
  tick: (binding: string) => void
  publish: () => void
  isAsking: () => boolean
}

/**
 * Lets time pass until nothing is to come any more: with timers alone where workers are awake, else with cron ticks alone.
 * Resolves to whether it never ends.
 */
export async function comeToRest(world: ReminderWorld, rest: Rest): Promise<boolean> {
  const { random, journal } = world
  // Every firing at its time, or days at once: then all are late.
  const isHasty = random.chance(0.3)
  let isSwept = false
  await drain(world, rest)
  if (world.isAwake && !isHasty) journal.write({ kind: 'calm', at: world.now })
  for (let turns = 0; turns < MAX_TURNS; turns += 1) {
    if (journal.upcoming.size === 0 && !rest.isAsking()) {
      if (isSwept) return false
      // A series whose event was lost gets its next occurrence, with reminders, from the sweep.
      isSwept = true
      world.now += 6 * MINUTE_MS
      rest.tick('sweep-series-cron')
      await drain(world, rest)
      continue
    }
    const next = Math.min(...journal.upcoming.values(), world.now + 26 * 60 * MINUTE_MS)
    const onTheWay = Math.max(next, world.now + 10 * SECOND_MS)
    world.now = isHasty
      ? Math.max(onTheWay, world.now + 26 * 60 * MINUTE_MS)
      : onTheWay + random.below(20_000)
    if (!world.isAwake) for (const binding of CRONS) rest.tick(binding)
    await drain(world, rest)
  }
  return true
}

/** Opens every gate and delivers every message until only timers are left; then those of one process, and once more. */
async function drain(world: ReminderWorld, { living, deliver, publish }: Rest): Promise<void> {
  const { random, scheduler, topics } = world
  const awake = random.pick(living()).life
  for (let steps = 0; ; steps += 1) {
    if (steps > MAX_STEPS) throw new Error('steps without an end')
    await scheduler.settle()
    publish()
    const message = topics.next(random, { inDisorder: false, again: false })
    if (message) {
      deliver(message)
      continue
    }
    const ready = scheduler.ready()
    const wanted = ready.filter(({ label, life }) => !label.endsWith(TIMER) || life === awake)
    if (wanted.length === 0) return
    const gate = random.pick(wanted)
    world.tell(gate.label)
    scheduler.open(gate)
  }
}

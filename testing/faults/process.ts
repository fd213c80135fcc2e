import { loadFunctions } from '../../functions/main.ts'
import { createPublisher } from '../../shared/app/outbox/publisher.ts'
import type { Deps, StartTimer } from '../../shared/app/ports.ts'
import type { WaitingSeriesReader } from '../../shared/app/recurrence/ports.ts'
import { mountFunctions, type DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { composeDaybook } from '../worlds/compose-daybook.ts'
import { guardBroker, guardChanges, guardOutbox } from './guarded-ports.ts'
import { beginLife, type Life } from './scheduler.ts'
import type { Chaos, World } from './world.ts'

const FUNCTIONS = await loadFunctions([
  'tasks/create-task',
  'tasks/complete-task',
  'tasks/skip-occurrence',
  'tasks/reopen-task',
  'tasks/delete-task',
  'tasks/restore-task',
  'tasks/edit-task',
  'recurrence/create-next-occurrence',
  'recurrence/sweep-series',
  'outbox/relay-events',
])

/** A way to break the product on purpose, to prove that the oracle sees it. */
export interface Sabotage {
  /** Ports as the product gets them, instead of the good ones. */
  ports?: (deps: Deps, world: World) => Partial<Deps>
  functions?: (functions: readonly DaybookFunction[]) => readonly DaybookFunction[]
  /** The consumer says that a message is done before it is. */
  answersEarly?: boolean
  /** Mishaps under which the flaw shows soonest. */
  chaos?: Partial<Chaos>
}

/** One running Daybook: the real functions, use cases and stores; time, ids, broker and its own death are ours. */
export interface Process {
  readonly life: Life
  /** An HTTP request to it. Rejects with `Killed` when it dies before it has answered. */
  request(path: string, init: RequestInit): Promise<Response>
  kill(): void
}

export function startProcess(world: World, name: string, sabotage: Sabotage): Process {
  const { scheduler } = world
  const life = beginLife(name)
  // Clocks of two machines are never quite the same.
  const skewMs = world.random.below(3000) - 1500
  const startTimer = timersOf(world, life, 'pause of the publisher')
  const { deps: composed } = composeDaybook(world.sql, {
    resources: {
      clock: { now: () => new Date(world.now + skewMs) },
      ids: world.ids,
      startTimer,
      log: silentLogger,
      createBroker: () => guardBroker(world, life),
      createAnnouncer: () => () => {}, // nobody listens
    },
  })
  const ports: Deps = {
    ...composed,
    changes: guardChanges(world, life, composed.changes),
    outbox: guardOutbox(world, life, composed.outbox),
    waitingSeries: {
      withoutLiveTask: async (...asked: Parameters<WaitingSeriesReader['withoutLiveTask']>) => {
        await scheduler.gate(life, `${name}: look for series without an open occurrence`)
        return scheduler.outside(() => composed.waitingSeries.withoutLiveTask(...asked))
      },
    },
    settings: { ...composed.settings, maxWeightOfUser: Infinity },
  }
  const deps: Deps = { ...ports, ...sabotage.ports?.(ports, world) }
  deps.publishing = createPublisher(deps, startTimer)

  const app = mountFunctions(sabotage.functions?.(FUNCTIONS) ?? FUNCTIONS, deps)
  deps.publishing.wake()
  return {
    life,
    request: (path, init) => Promise.race([Promise.resolve(app.request(path, init)), life.death]),
    kill: () => {
      life.end()
      scheduler.forget(life)
    },
  }
}

/** Timers of one process: what they start waits until their time has come and the scheduler chooses it. */
export function timersOf(world: World, life: Life, label: string): StartTimer {
  return (work, ms) => {
    const at = world.now + ms
    let isCancelled = false
    const isDue = () => world.now >= at || isCancelled
    const wait = async () => {
      await world.scheduler.gate(life, `${life.name}: ${label}`, isDue)
      if (!isCancelled) work()
    }
    void wait()
    return () => void (isCancelled = true)
  }
}

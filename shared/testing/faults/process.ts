import completeTask from '../../../functions/tasks/complete-task.ts'
import createTask from '../../../functions/tasks/create-task.ts'
import deleteTask from '../../../functions/tasks/delete-task.ts'
import editTask from '../../../functions/tasks/edit-task.ts'
import reopenTask from '../../../functions/tasks/reopen-task.ts'
import restoreTask from '../../../functions/tasks/restore-task.ts'
import skipOccurrence from '../../../functions/tasks/skip-occurrence.ts'
import createNextOccurrence from '../../../functions/recurrence/create-next-occurrence.ts'
import sweepSeries from '../../../functions/recurrence/sweep-series.ts'
import relayEvents from '../../../functions/outbox/relay-events.ts'
import { ownNextOccurrences } from '../../app/create-next-occurrence.ts'
import type { Deps, SeriesSweep } from '../../app/ports.ts'
import { createPublisher } from '../../app/publisher.ts'
import { createChangeStore } from '../../db/change-store.ts'
import { createSeriesSweep } from '../../db/maintenance.ts'
import { createOutbox } from '../../db/outbox.ts'
import { mountFunctions, type DaybookFunction } from '../../kit/mount-functions.ts'
import { guardBroker, guardChanges, guardOutbox } from './guarded-ports.ts'
import { beginLife, type Life } from './scheduler.ts'
import type { Chaos, World } from './world.ts'

export const APP_TOKEN = 'shown-by-the-sidecar'

const FUNCTIONS: readonly DaybookFunction[] = [
  ...[createTask, completeTask, skipOccurrence, reopenTask, deleteTask, restoreTask, editTask],
  ...[createNextOccurrence, sweepSeries, relayEvents],
]

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
  const { scheduler, sql } = world
  const life = beginLife(name)
  // Clocks of two machines are never quite the same.
  const skewMs = world.random.below(3000) - 1500
  const clock = { now: () => new Date(world.now + skewMs) }
  const silent = () => {}

  const ports = {
    ...{ clock, ids: world.ids, log: { info: silent, warn: silent, error: silent } },
    changes: guardChanges(world, life, createChangeStore(sql)),
    outbox: guardOutbox(world, life, createOutbox(sql)),
    broker: guardBroker(world, life),
    sweep: {
      withoutLiveTask: async (...asked: Parameters<SeriesSweep['withoutLiveTask']>) => {
        await scheduler.gate(life, `${name}: look for series without an open occurrence`)
        return scheduler.outside(() => createSeriesSweep(sql).withoutLiveTask(...asked))
      },
    },
    settings: { appToken: APP_TOKEN },
    authenticate: async (userId: string) => ({
      ...{ userId, view: { type: 'user', id: userId }, timeZone: 'UTC', scopes: [] },
    }),
  } as unknown as Deps
  const deps: Deps = { ...ports, ...sabotage.ports?.(ports, world) }
  deps.nextOccurrences = ownNextOccurrences(deps)
  deps.publishing = createPublisher(deps, (work, ms) => {
    const at = world.now + ms
    let isCancelled = false
    const isDue = () => world.now >= at || isCancelled
    const wait = async () => {
      await scheduler.gate(life, `${name}: pause of the publisher`, isDue)
      if (!isCancelled) work()
    }
    void wait()
    return () => void (isCancelled = true)
  })

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

import type { Deps } from '../app/ports.ts'
import { systemIds } from '../kit/system.ts'

/** What the world answers to a probe; `hangs` never answers. */
export interface World {
  database: boolean | 'throws' | 'hangs'
  sidecar: boolean | 'throws' | 'hangs'
  publishing: { status: 'available' | 'queued'; since: Date }
  oldestEvent: Date | null
  /** When the earliest reminder and the earliest delivery are due; `hangs` never says. */
  dueReminder: Date | null | 'hangs'
  dueDelivery: Date | null | 'hangs'
  now: Date
  asked: number
}

/** Deps for the functions of health, over a world that the test changes as it goes. */
export function healthDeps(change: Partial<World> = {}): { deps: Deps; world: World } {
  const world: World = {
    database: true,
    sidecar: true,
    publishing: { status: 'available', since: new Date('2026-03-01T08:00:00Z') },
    ...{ oldestEvent: null, dueReminder: null, dueDelivery: null },
    now: new Date('2026-03-01T09:00:00Z'),
    asked: 0,
    ...change,
  }
  const answer = (how: World['database']) => {
    world.asked += 1
    if (how === 'hangs') return new Promise<boolean>(() => {})
    return how === 'throws' ? Promise.reject(new Error('password=secret')) : Promise.resolve(how)
  }
  const due = (at: World['dueReminder']) =>
    at === 'hangs' ? new Promise<Date | null>(() => {}) : Promise.resolve(at)
  const deps = {
    clock: { now: () => world.now },
    ids: systemIds,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    database: { ping: () => answer(world.database) },
    sidecar: { outbound: () => answer(world.sidecar) },
    publishing: { wake: () => {}, state: () => world.publishing },
    dueReminders: { nextDueAt: () => due(world.dueReminder) },
    deliveries: { nextDueAt: () => due(world.dueDelivery) },
    outbox: { backlog: async () => ({ waiting: world.oldestEvent ? 1 : 0, oldest: world.oldestEvent }) },
  }
  return { deps: deps as unknown as Deps, world }
}

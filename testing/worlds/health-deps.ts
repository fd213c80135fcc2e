import type { Deps } from '../../shared/app/ports.ts'
import { testDaybook } from './test-daybook.ts'

/** What the world answers to a probe; `hangs` never answers. */
export interface World {
  database: boolean | 'throws' | 'hangs'
  sidecar: boolean | 'throws' | 'hangs'
  publishing: { status: 'available' | 'queued'; since: Date }
  oldestEvent: Date | null
  /** When the earliest reminder and the earliest delivery are due; `hangs` never says. */
  dueReminder: Date | null | 'hangs'
  dueDelivery: Date | null | 'hangs'
  /** Since when a series waits for its next task. */
  waitingSeries: Date | null | 'hangs'
  now: Date
  asked: number
}

const daybook = await testDaybook()

/** Deps for the functions of health, over a world that the test changes as it goes. */
export function healthDeps(change: Partial<World> = {}): { deps: Deps; world: World } {
  const world: World = {
    database: true,
    sidecar: true,
    publishing: { status: 'available', since: new Date('2026-03-01T08:00:00Z') },
    oldestEvent: null,
    dueReminder: null,
    dueDelivery: null,
    waitingSeries: null,
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
  const { deps } = daybook
  return {
    world,
    deps: {
      ...deps,
      clock: { now: () => world.now },
      database: { ping: () => answer(world.database) },
      sidecar: { outbound: () => answer(world.sidecar) },
      publishing: { ...deps.publishing, state: () => world.publishing },
      dueReminders: { ...deps.dueReminders, nextDueAt: () => due(world.dueReminder) },
      deliveries: { ...deps.deliveries, nextDueAt: () => due(world.dueDelivery) },
      waitingSeries: {
        withoutLiveTask: async () => {
          const waitingSince = await due(world.waitingSeries)
          return waitingSince ? [{ userId: '', seriesId: '', waitingSince }] : []
        },
      },
      outbox: {
        ...deps.outbox,
        backlog: async () => ({ waiting: world.oldestEvent ? 1 : 0, oldest: world.oldestEvent }),
      },
    },
  }
}

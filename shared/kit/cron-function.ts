import type { Hono } from 'hono'
import type { Capability, DepsOf, DueRows, TimedRows } from '../app/capabilities.ts'
import type { Deps } from '../app/ports.ts'
import type { MadeBy } from '../domain/actor.ts'
import type { AppEnv } from './base-app.ts'
import { sidecarOnly } from './sidecar-only.ts'
import { startTicker, type Ticker } from './ticker.ts'
import { ownNameOf } from './units.ts'

interface CronSpec<Uses extends readonly Capability[]> {
  /** Five or six fields, or `@every 5m` (Dapr, cron binding). */
  schedule: string
  uses: Uses
  /** What makes its work, so that the platform need not keep the unit awake for the schedule. */
  wakesOn?: DueRows & keyof DepsOf<Uses>
  /**
   * The process that runs the function also calls it at start-up, when what it wakes on is due next and at least this
   * often, never twice at once. A binding with an interval counts from the start of its sidecar, so in a pod that lives
   * for less it never ticks, and a unit may sleep only where this does its work.
   */
  everyMs?: number
  /** `madeBy` is for the events of what it does. */
  handle: (deps: DepsOf<Uses>, madeBy: MadeBy) => Promise<unknown>
}

export interface CronFunction {
  kind: 'cron'
  /** `<service>/<function>`, given by the loader. */
  name: string
  uses: readonly Capability[]
  schedule: string
  wakesOn: DueRows | null
  everyMs: number | null
  /** Begins with what `everyMs` asks for; null when it asks for nothing. */
  startPolling(deps: Deps): Ticker | null
  mount(app: Hono<AppEnv>, deps: Deps): void
}

/** The name of a function's bindings.cron component, and the route it calls. */
export const bindingOf = (fn: { name: string }): string => `${ownNameOf(fn)}-cron`
export const cronRouteOf = (fn: { name: string }): string => `/dapr/cron/${bindingOf(fn)}`

/**
 * Work done at every tick of a cron binding: a POST with an empty body. Every replica's sidecar ticks, so the work must
 * be safe to run twice at once; a tick that fails is simply followed by the next.
 */
export function cronFunction<const Uses extends readonly Capability[]>(spec: CronSpec<Uses>): CronFunction {
  const { everyMs = null, wakesOn = null } = spec
  const handle = (deps: DepsOf<Uses>) => spec.handle(deps, `cron/${ownNameOf(self)}`)
  const run = everyMs === null ? handle : oneAtATime(handle)
  const self: CronFunction = {
    kind: 'cron',
    name: '',
    uses: spec.uses,
    schedule: spec.schedule,
    wakesOn,
    everyMs,
    startPolling: (deps) =>
      everyMs === null
        ? null
        : startTicker(
            { name: self.name, everyMs, run: () => run(deps), nextAt: () => nextDueAt(deps, wakesOn) },
            deps,
          ),
    mount: (app, deps) => {
      const path = cronRouteOf(self)
      app.options(path, (c) => c.body(null, 204))
      app.post(path, sidecarOnly(deps), async (c) => {
        await run(deps)
        return c.body(null, 204)
      })
    },
  }
  return self
}

async function nextDueAt(deps: Deps, rows: DueRows | null): Promise<Date | null> {
  return rows !== null && isTimed(rows) ? await deps[rows].nextDueAt() : null
}

const isTimed = (rows: DueRows): rows is TimedRows => rows === 'dueReminders' || rows === 'deliveries'

/** Whoever calls while it runs waits for that run. */
function oneAtATime<Given extends object>(handle: (deps: Given) => Promise<unknown>): typeof handle {
  const running = new WeakMap<Given, Promise<unknown>>()
  return (deps) => {
    const current = running.get(deps) ?? handle(deps).finally(() => running.delete(deps))
    running.set(deps, current)
    return current
  }
}

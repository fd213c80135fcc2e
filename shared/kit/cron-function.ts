import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { problemApp, type AppEnv } from './base-app.ts'
import { sidecarOnly } from './sidecar-only.ts'
import { startTicker, type Ticker } from './ticker.ts'

export interface CronSpec {
  /** Name of the bindings.cron component in dapr/components/, which also holds the schedule. */
  binding: string
  handle: (deps: Deps) => Promise<unknown>
  /**
   * The process that runs the function also calls it at start-up, when its work is due next and at least every `everyMs`,
   * never twice at once: what it waits for is rows with a time, and a binding only ticks every few minutes.
   */
  whileAwake?: { nextAt: (deps: Deps) => Promise<Date | null>; everyMs: number }
}

export interface CronFunction {
  kind: 'cron'
  binding: string
  /** Begins with what `whileAwake` asks for; null when it asks for nothing. */
  keepAwake(deps: Deps): Ticker | null
  mount(app: Hono<AppEnv>, deps: Deps): void
  createApp(deps: Deps): Hono<AppEnv>
}

/**
 * Work done at every tick of a cron binding: `POST /dapr/cron/<binding>` with an empty body. Every replica's sidecar
 * ticks, so the work must be safe to run twice at once; a tick that fails is simply followed by the next.
 */
export function cronFunction({ binding, handle, whileAwake }: CronSpec): CronFunction {
  const path = `/dapr/cron/${binding}`
  const run = whileAwake ? oneAtATime(handle) : handle
  const mount = (app: Hono<AppEnv>, deps: Deps) => {
    app.options(path, (c) => c.body(null, 204))
    app.post(path, sidecarOnly(deps), async (c) => {
      await run(deps)
      return c.body(null, 204)
    })
  }
  return {
    ...{ kind: 'cron', binding, mount },
    keepAwake: (deps) =>
      whileAwake
        ? startTicker(
            {
              ...{ name: binding, everyMs: whileAwake.everyMs, run: () => run(deps) },
              nextAt: () => whileAwake.nextAt(deps),
            },
            deps,
          )
        : null,
    createApp: (deps) => {
      const app = problemApp(deps)
      mount(app, deps)
      return app
    },
  }
}

/** Whoever calls while it runs waits for that run. */
function oneAtATime(handle: CronSpec['handle']): CronSpec['handle'] {
  const running = new WeakMap<Deps, Promise<unknown>>()
  return (deps) => {
    const current = running.get(deps) ?? handle(deps).finally(() => running.delete(deps))
    running.set(deps, current)
    return current
  }
}

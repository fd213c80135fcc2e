import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { problemApp, type AppEnv } from './base-app.ts'
import { sidecarOnly } from './sidecar-only.ts'

export interface CronSpec {
  /** Name of the bindings.cron component in dapr/components/, which also holds the schedule. */
  binding: string
  handle: (deps: Deps) => Promise<unknown>
}

export interface CronFunction {
  kind: 'cron'
  binding: string
  mount(app: Hono<AppEnv>, deps: Deps): void
  createApp(deps: Deps): Hono<AppEnv>
}

/**
 * Work done at every tick of a cron binding: `POST /dapr/cron/<binding>` with an empty body. Every replica's sidecar
 * ticks, so the work must be safe to run twice at once; a tick that fails is simply followed by the next.
 */
export function cronFunction(spec: CronSpec): CronFunction {
  const path = `/dapr/cron/${spec.binding}`
  const mount = (app: Hono<AppEnv>, deps: Deps) => {
    app.options(path, (c) => c.body(null, 204))
    app.post(path, sidecarOnly(deps), async (c) => {
      await spec.handle(deps)
      return c.body(null, 204)
    })
  }
  return {
    ...{ kind: 'cron', binding: spec.binding, mount },
    createApp: (deps) => {
      const app = problemApp(deps)
      mount(app, deps)
      return app
    },
  }
}

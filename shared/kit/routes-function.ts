import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { baseApp, type AppEnv } from './base-app.ts'

export interface RoutesFunction {
  kind: 'http'
  /** It has none, and is in no document and no route table. */
  spec: null
  mount(app: Hono<AppEnv>, deps: Deps): void
  createApp(deps: Deps): Hono<AppEnv>
}

/**
 * The way out of `httpFunction` for what is no plain endpoint: streams, pages, callbacks of our own units. Its routes are
 * mounted behind those of all HTTP functions of the process; it guards them itself.
 */
export function routesFunction(spec: { routes: (app: Hono<AppEnv>, deps: Deps) => void }): RoutesFunction {
  return {
    ...{ kind: 'http', spec: null, mount: spec.routes },
    createApp: (deps) => {
      const app = baseApp(deps)
      spec.routes(app, deps)
      return app
    },
  }
}

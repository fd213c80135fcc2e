import type { Hono } from 'hono'
import type { Capability, DepsOf } from '../app/capabilities.ts'
import type { Deps } from '../app/ports.ts'
import type { AppEnv } from './base-app.ts'

interface RoutesSpec<Uses extends readonly Capability[]> {
  /** `METHOD /path` of each, for the documents and the route table. A path with `*` is served here and in no table. */
  serves: readonly `${string} /${string}`[]
  uses: Uses
  routes: (app: Hono<AppEnv>, deps: DepsOf<Uses>) => void
}

export interface RoutesFunction {
  kind: 'routes'
  /** `<service>/<function>`, given by the loader. */
  name: string
  uses: readonly Capability[]
  serves: readonly string[]
  mount(app: Hono<AppEnv>, deps: Deps): void
}

/**
 * The way out of `httpFunction` for what is no plain endpoint: pages, WebSocket, a gateway. Its routes are mounted
 * before those of the HTTP functions of the process, a gateway's behind them; it guards them itself.
 */
export const routesFunction = <const Uses extends readonly Capability[]>({
  serves,
  uses,
  routes,
}: RoutesSpec<Uses>): RoutesFunction => ({ kind: 'routes', name: '', uses, serves, mount: routes })

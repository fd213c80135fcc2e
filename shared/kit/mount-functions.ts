import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { baseApp, type AppEnv } from './base-app.ts'
import type { CronFunction } from './cron-function.ts'
import type { HttpFunction } from './http-function.ts'
import type { JobFunction } from './job-function.ts'
import { mountTopics } from './subscriptions.ts'
import type { TopicFunction } from './topic-function.ts'

export type DaybookFunction = HttpFunction | TopicFunction | JobFunction | CronFunction

/** One app that serves all the given functions: what a process runs, whichever profile it belongs to. */
export function mountFunctions(functions: readonly DaybookFunction[], deps: Deps): Hono<AppEnv> {
  const app = baseApp(deps)
  mountTopics(
    app,
    functions.filter((fn) => fn.kind === 'topic'),
    deps,
  )
  for (const fn of functions) if (fn.kind !== 'topic') fn.mount(app, deps)
  return app
}

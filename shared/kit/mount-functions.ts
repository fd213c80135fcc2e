import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { prepareRequests, problemApp, type AppEnv } from './base-app.ts'
import type { CronFunction } from './cron-function.ts'
import type { HttpFunction } from './http-function.ts'
import type { JobFunction } from './job-function.ts'
import type { RoutesFunction } from './routes-function.ts'
import { mountTopics } from './subscriptions.ts'
import type { TopicFunction } from './topic-function.ts'

export type DaybookFunction = HttpFunction | RoutesFunction | TopicFunction | JobFunction | CronFunction

/** One app that serves all the given functions: what a process runs, whichever profile it belongs to. */
export function mountFunctions(functions: readonly DaybookFunction[], deps: Deps): Hono<AppEnv> {
  const app = problemApp(deps)
  mountTopics(
    app,
    functions.filter((fn) => fn.kind === 'topic'),
    deps,
  )
  for (const fn of functions) if (fn.kind === 'job' || fn.kind === 'cron') fn.mount(app, deps)
  prepareRequests(app, deps)
  const http = functions.filter((fn) => fn.kind === 'http')
  for (const fn of http) if (fn.spec) fn.mount(app, deps)
  for (const fn of http) if (!fn.spec) fn.mount(app, deps)
  return app
}

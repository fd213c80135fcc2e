import type { Hono } from 'hono'
import type { Deps } from '../app/ports.ts'
import { prepareRequests, problemApp, type AppEnv } from './base-app.ts'
import type { CronFunction } from './cron-function.ts'
import type { HttpFunction } from './http-function.ts'
import type { JobFunction } from './job-function.ts'
import type { RoutesFunction } from './routes-function.ts'
import { nameRoutes } from './edge/request-log.ts'
import { mountTopics } from './subscriptions.ts'
import type { TopicFunction } from './topic-function.ts'

export type DaybookFunction = HttpFunction | RoutesFunction | TopicFunction | JobFunction | CronFunction

/** One app that serves all the given functions: what a process runs, whichever profile it belongs to. */
export function mountFunctions(functions: readonly DaybookFunction[], deps: Deps): Hono<AppEnv> {
  const app = problemApp(deps)
  const topics = functions.filter((fn) => fn.kind === 'topic')
  mountTopics(app, topics, deps)
  for (const route of app.routes) nameRoutes([route], namesAt(route.path, topics))
  const mount = (fn: Exclude<DaybookFunction, { kind: 'topic' }>) => {
    const before = app.routes.length
    fn.mount(app, deps)
    nameRoutes(app.routes.slice(before), fn.name)
  }
  for (const fn of functions) if (fn.kind === 'job' || fn.kind === 'cron') mount(fn)
  prepareRequests(app, deps)
  const routes = functions.filter((fn) => fn.kind === 'routes')
  // A gateway passes on what is not served when it comes.
  const isGateway = ({ uses }: DaybookFunction) => uses.includes('units')
  // First, because they name all of their paths: /api/tasks/ws is no task.
  for (const fn of routes) if (!isGateway(fn)) mount(fn)
  for (const fn of functions) if (fn.kind === 'http') mount(fn)
  for (const fn of routes) if (isGateway(fn)) mount(fn)
  return app
}

/** Whoever gets what is delivered at this path. */
const namesAt = (path: string, topics: readonly TopicFunction[]): string =>
  topics
    .filter((fn) => fn.topics.some((topic) => path === `/dapr/events/${topic}`))
    .map(({ name }) => name)
    .join(' ')

import type { Hono } from 'hono'
import type { z } from 'zod'
import type { Deps } from '../app/ports.ts'
import { problemApp, type AppEnv } from './base-app.ts'
import { sidecarOnly } from './sidecar-only.ts'

export interface JobSpec<Data extends z.ZodType> {
  /** Jobs are named `<job>-<id>`; the prefix keeps two job functions of one process apart. */
  job: string
  data: Data
  /** Returns when the work is done or no longer wanted; throws to be called again by the job's failurePolicy. */
  handle: (call: { name: string; data: z.output<Data>; deps: Deps }) => Promise<void>
}

export interface JobFunction {
  kind: 'job'
  job: string
  mount(app: Hono<AppEnv>, deps: Deps): void
  createApp(deps: Deps): Hono<AppEnv>
}

/**
 * The callback of a Dapr job: `POST /job/<prefix>-<id>` with the job's data as the body (Dapr Jobs API). Answers 2xx
 * when done; a 404 would consume the job in silence and is never used.
 */
export function jobFunction<Data extends z.ZodType>(spec: JobSpec<Data>): JobFunction {
  const mount = (app: Hono<AppEnv>, deps: Deps) =>
    void app.post(`/job/:name{${spec.job}-.+}`, sidecarOnly(deps), async (c) => {
      const data = spec.data.safeParse(await c.req.json())
      // Data that does not parse will not parse next time either; the sweep over the rows finds what it was for.
      if (data.success) await spec.handle({ name: c.req.param('name'), data: data.data, deps })
      else deps.log.error({ job: c.req.param('name'), err: data.error }, 'job with unreadable data dropped')
      return c.body(null, 204)
    })
  return {
    ...{ kind: 'job', job: spec.job, mount },
    createApp: (deps) => {
      const app = problemApp(deps)
      mount(app, deps)
      return app
    },
  }
}

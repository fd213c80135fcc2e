import type { Hono } from 'hono'
import type { z } from 'zod'
import type { MadeBy } from '../domain/actor.ts'
import type { Capability, DepsOf } from '../app/capabilities.ts'
import type { Deps } from '../app/ports.ts'
import type { AppEnv } from './base-app.ts'
import { sidecarOnly } from './sidecar-only.ts'
import { ownNameOf } from './units.ts'

interface JobSpec<Data extends z.ZodType, Uses extends readonly Capability[]> {
  /** Jobs are named `<job>-<id>`; the prefix keeps two job functions of one process apart. */
  job: string
  data: Data
  uses: Uses
  /** Returns when the work is done or no longer wanted; throws to be called again by the job's failurePolicy. */
  handle: (call: {
    name: string
    data: z.output<Data>
    /** For the events of what it does. */
    madeBy: MadeBy
    deps: DepsOf<Uses>
  }) => Promise<unknown>
}

export interface JobFunction {
  kind: 'job'
  /** `<service>/<function>`, given by the loader. */
  name: string
  uses: readonly Capability[]
  job: string
  mount(app: Hono<AppEnv>, deps: Deps): void
}

/**
 * The callback of a Dapr job: `POST /job/<prefix>-<id>` with the job's data as the body (Dapr Jobs API). Answers 2xx
 * when done; a 404 would consume the job in silence and is never used.
 */
export function jobFunction<Data extends z.ZodType, const Uses extends readonly Capability[]>(
  spec: JobSpec<Data, Uses>,
): JobFunction {
  const self: JobFunction = {
    kind: 'job',
    name: '',
    uses: spec.uses,
    job: spec.job,
    mount: (app, deps) =>
      void app.post(`/job/:name{${spec.job}-.+}`, sidecarOnly(deps), async (c) => {
        const data = spec.data.safeParse(await c.req.json())
        const job = c.req.param('name')
        // Data that does not parse will not parse next time either; the sweep over the rows finds what it was for.
        const madeBy = `job/${ownNameOf(self)}` as const
        if (data.success) await spec.handle({ name: job, data: data.data, madeBy, deps })
        else deps.log.error({ function: self.name, job, err: data.error }, 'dropped job with unreadable data')
        return c.body(null, 204)
      }),
  }
  return self
}

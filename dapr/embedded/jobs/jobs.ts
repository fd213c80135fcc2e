import { Hono } from 'hono'
import { z } from 'zod'
import type { SidecarContext } from '../context.ts'
import { parseProtoDuration, toProtoDuration } from '../durations.ts'
import { detailedError, malformedRequest, messageOf, type ApiError } from '../errors.ts'
import { jobChannel } from './job-runner.ts'
import { planJob } from './job-schedule.ts'
import { deleteJob, findJob, putJob, type FailurePolicy, type Job } from './job-store.ts'
import { readText } from '../requests.ts'
import { wakeBusOf } from '../wake.ts'

const ProtoDuration = z.string().transform((text, context) => {
  const ms = parseProtoDuration(text)
  if (ms === null)
    context.addIssue({ code: 'custom', message: `invalid google.protobuf.Duration value "${text}"` })
  return ms ?? z.NEVER
})
const Uint32 = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1),
)

const Policy = z
  .object({
    constant: z.object({ interval: ProtoDuration.nullish(), maxRetries: Uint32.nullish() }).nullish(),
    drop: z.object({}).nullish(),
  })
  .refine(({ constant, drop }) => !constant || !drop, 'oneof policy is already set')

// Protobuf JSON: names in camelCase or snake_case, null for absent, unknown fields ignored.
const JobRequest = z.preprocess(
  toCamelCase,
  z.object({
    name: z.string().nullish(),
    schedule: z.string().nullish(),
    dueTime: z.string().nullish(),
    repeats: Uint32.nullish(),
    ttl: z.string().nullish(),
    overwrite: z.boolean().nullish(),
    failurePolicy: Policy.nullish(),
  }),
)

const DEFAULT_POLICY: FailurePolicy = { intervalMs: 1000, maxRetries: 3 }

/** `POST|GET|DELETE /jobs/{name}`: schedules callbacks of this app. */
export function jobRoutes(context: SidecarContext): Hono {
  const { sql, appId } = context
  const app = new Hono()
  for (const version of ['v1.0', 'v1.0-alpha1']) {
    app.post(`/${version}/jobs/:name`, async (c) => {
      await scheduleJob(context, c.req.param('name').trim(), await readText(c.req.raw))
      return c.body(null, 204)
    })
    app.get(`/${version}/jobs/:name`, async (c) => {
      const name = c.req.param('name')
      const job = await findJob(sql, appId, name)
      if (!job)
        throw jobError(
          500,
          'GET_JOB',
          `failed to get job due to: rpc error: code = NotFound desc = job not found: ${name}`,
          { appID: appId, namespace: 'default' },
        )
      return c.json(toAnswer(job))
    })
    app.delete(`/${version}/jobs/:name`, async (c) => {
      await deleteJob(sql, appId, c.req.param('name'))
      return c.body(null, 204)
    })
  }
  return app
}

async function scheduleJob(context: SidecarContext, name: string, text: string): Promise<void> {
  const { sql, appId } = context
  const known = { appID: appId, namespace: 'default' }
  const body = parseBody(text)
  const request = JobRequest.safeParse(body)
  if (!request.success) throw malformedRequest(z.prettifyError(request.error))
  const { data: fields } = request
  if (fields.name) {
    throw jobError(400, 'JOB_NAME', 'Set the job name in the url only', { appID: appId })
  }
  if (name === '') throw jobError(400, 'JOB_NAME_EMPTY', 'Name is empty', known)
  const schedule = fields.schedule ?? null
  const dueTime = fields.dueTime ?? null
  if (schedule === null && dueTime === null) throw jobError(400, 'SCHEDULE_EMPTY', 'Schedule is empty', known)

  const times = { schedule, dueTime, ttl: fields.ttl ?? null, repeats: fields.repeats ?? null }
  const refuse = (status: number, code: string, reason: string) =>
    jobError(
      status,
      'SCHEDULE_JOB',
      `failed to schedule job due to: rpc error: code = ${code} desc = ${reason}`,
      known,
    )
  const wrongName = nameProblem(name)
  if (wrongName) {
    const key = JSON.stringify(`app||default||${appId}||${name}`)
    throw refuse(500, 'Unknown', `job name is invalid ${key}: ${wrongName}`)
  }
  let plan: ReturnType<typeof planJob>
  try {
    plan = planJob(times, context.clock.now())
  } catch (error) {
    throw refuse(500, 'Unknown', `job failed validation: ${messageOf(error)}`)
  }
  const overwrite = fields.overwrite ?? false
  if (plan === null) return overwrite ? await deleteJob(sql, appId, name) : undefined
  const job: Job = {
    ...times,
    name,
    data: body.data === undefined ? null : JSON.stringify(body.data),
    failurePolicy: toPolicy(fields.failurePolicy),
    expiresAt: plan.expiresAt,
    tickAt: plan.tickAt,
    dueAt: plan.tickAt,
  }
  const added = await putJob(sql, appId, job, overwrite)
  if (!added) throw refuse(409, 'AlreadyExists', `job already exists: 'app||default||${appId}||${name}'`)
  wakeBusOf(sql).notify(jobChannel(appId))
}

function parseBody(text: string): Record<string, unknown> {
  if (text === '') return {}
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  } catch (error) {
    throw malformedRequest(messageOf(error))
  }
}

// `data` is the caller's and stays as it is; everything else is ours to rename.
function toCamelCase(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      name === 'data' ? undefined : toCamelCase(inner),
    ]),
  )
}

// The name becomes a part of the callback's path as it is.
function nameProblem(name: string): string | null {
  if (/[/\\#?]/.test(name)) return "must not contain '/', '\\', '#' or '?'"
  if (/\p{Cc}/u.test(name)) return 'must not contain control characters'
  return name === '.' || name === '..' ? 'must not be a path traversal sequence' : null
}

function toPolicy(policy: z.infer<typeof Policy> | null | undefined): FailurePolicy {
  if (policy?.drop) return 'drop'
  if (!policy?.constant) return DEFAULT_POLICY
  return { intervalMs: policy.constant.interval ?? 0, maxRetries: policy.constant.maxRetries ?? null }
}

function toAnswer(job: Job): unknown {
  const { failurePolicy: policy } = job
  return {
    name: job.name,
    ...(job.schedule !== null && { schedule: job.schedule }),
    ...(job.repeats !== null && { repeats: job.repeats }),
    ...(job.dueTime !== null && { dueTime: job.dueTime }),
    ...(job.ttl !== null && { ttl: job.ttl }),
    data: {
      '@type': 'type.googleapis.com/google.protobuf.Value',
      ...(job.data !== null && { value: JSON.parse(job.data) as unknown }),
    },
    failurePolicy:
      policy === 'drop'
        ? { drop: {} }
        : {
            constant: {
              interval: toProtoDuration(policy.intervalMs),
              ...(policy.maxRetries !== null && { maxRetries: policy.maxRetries }),
            },
          },
  }
}

function jobError(status: number, code: string, message: string, metadata: Record<string, string>): ApiError {
  const reason = `DAPR_SCHEDULER_${code}`
  return detailedError(status, reason, message, { reason, metadata })
}

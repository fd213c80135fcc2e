import type { Sql } from '../../../shared/db/connect.ts'

/** How often and after which pause a failed callback is tried again; `maxRetries` null means for ever. */
export type FailurePolicy = 'drop' | { readonly intervalMs: number; readonly maxRetries: number | null }

export interface Job {
  readonly name: string
  readonly schedule: string | null
  readonly dueTime: string | null
  readonly ttl: string | null
  readonly repeats: number | null
  /** JSON text, or null when the job was scheduled without data. */
  readonly data: string | null
  readonly failurePolicy: FailurePolicy
  readonly expiresAt: Date | null
  /** The time by the schedule; `dueAt` is later while failed callbacks are tried again. */
  readonly tickAt: Date
  readonly dueAt: Date
}

export interface ClaimedJob extends Job {
  readonly revision: string
  readonly triggers: number
  readonly failures: number
}

/** The state of a job after a callback; null when there is nothing left to do. */
export type NextTry = Pick<ClaimedJob, 'triggers' | 'failures' | 'tickAt' | 'dueAt'> | null

interface JobRow {
  name: string
  revision: string
  schedule: string | null
  due_time: string | null
  ttl: string | null
  repeats: number | null
  data: string | null
  failure_policy: string
  expires_at: Date | null
  triggers: number
  failures: number
  tick_at: Date
  due_at: Date
}

/** The app whose jobs these are, and the sidecar that runs them. */
export interface JobOwner {
  readonly appId: string
  readonly owner: string
}

const LEASE_SECONDS = 10
/** How often the lease of a running callback is renewed. */
export const RENEW_MS = 3000

/** False when the name is taken and `overwrite` is not set. A callback under way keeps its lease on a replaced job. */
export async function putJob(sql: Sql, appId: string, job: Job, overwrite: boolean): Promise<boolean> {
  const policy = JSON.stringify(job.failurePolicy)
  const { count } = await sql`
    insert into dapr.jobs as j
      (app_id, name, schedule, due_time, ttl, repeats, data, failure_policy, expires_at, tick_at, due_at)
    values (${appId}, ${job.name}, ${job.schedule}, ${job.dueTime}, ${job.ttl}, ${job.repeats}, ${job.data},
      ${policy}, ${job.expiresAt}, ${job.tickAt}, ${job.dueAt})
    on conflict (app_id, name) do update set
      revision = gen_random_uuid(), schedule = excluded.schedule, due_time = excluded.due_time, ttl = excluded.ttl,
      repeats = excluded.repeats, data = excluded.data, failure_policy = excluded.failure_policy,
      expires_at = excluded.expires_at, triggers = 0, failures = 0, tick_at = excluded.tick_at, due_at = excluded.due_at
    where ${overwrite}`
  return count === 1
}

export async function findJob(sql: Sql, appId: string, name: string): Promise<Job | null> {
  const [row] = await sql<JobRow[]>`select * from dapr.jobs where app_id = ${appId} and name = ${name}`
  return row ? toJob(row) : null
}

export async function deleteJob(sql: Sql, appId: string, name: string): Promise<void> {
  await sql`delete from dapr.jobs where app_id = ${appId} and name = ${name}`
}

/** When the next job of an app is due that nobody is running, or null. */
export async function nextDueAt(sql: Sql, appId: string): Promise<Date | null> {
  const [row] = await sql<{ due_at: Date }[]>`
    select due_at from dapr.jobs where app_id = ${appId} and (lease_until is null or lease_until < now())
    order by due_at limit 1`
  return row?.due_at ?? null
}

/** Takes due jobs for one sidecar: no other runs them until the lease has run out. */
export async function claimJobs(
  sql: Sql,
  { appId, owner }: JobOwner,
  now: Date,
  limit: number,
): Promise<ClaimedJob[]> {
  const rows = await sql<JobRow[]>`
    update dapr.jobs j set owner = ${owner}, lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    from (
      select app_id, name from dapr.jobs
      where app_id = ${appId} and due_at <= ${now} and (lease_until is null or lease_until < now())
      order by due_at limit ${limit} for update skip locked
    ) due
    where j.app_id = due.app_id and j.name = due.name returning j.*`
  return rows.map(toJob).toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
}

export async function renewLease(sql: Sql, { appId, owner }: JobOwner, name: string): Promise<void> {
  await sql`
    update dapr.jobs set lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where app_id = ${appId} and owner = ${owner} and name = ${name}`
}

/** Writes down what a callback led to, unless the job was replaced or deleted meanwhile; frees it in any case. */
export async function finishJob(
  sql: Sql,
  { appId, owner }: JobOwner,
  job: ClaimedJob,
  next: NextTry,
): Promise<void> {
  const { count } = next
    ? await sql`
        update dapr.jobs set owner = null, lease_until = null, triggers = ${next.triggers}, failures = ${next.failures},
          tick_at = ${next.tickAt}, due_at = ${next.dueAt}
        where app_id = ${appId} and name = ${job.name} and revision = ${job.revision} and owner = ${owner}`
    : await sql`
        delete from dapr.jobs
        where app_id = ${appId} and name = ${job.name} and revision = ${job.revision} and owner = ${owner}`
  if (count === 1) return
  await sql`
    update dapr.jobs set owner = null, lease_until = null
    where app_id = ${appId} and name = ${job.name} and owner = ${owner}`
}

function toJob(row: JobRow): ClaimedJob {
  return {
    name: row.name,
    revision: row.revision,
    schedule: row.schedule,
    dueTime: row.due_time,
    ttl: row.ttl,
    repeats: row.repeats,
    data: row.data,
    failurePolicy: JSON.parse(row.failure_policy) as FailurePolicy,
    expiresAt: row.expires_at,
    triggers: row.triggers,
    failures: row.failures,
    tickAt: row.tick_at,
    dueAt: row.due_at,
  }
}

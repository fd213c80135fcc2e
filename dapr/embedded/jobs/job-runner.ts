import { discardBody } from '../app-channel.ts'
import type { SidecarContext } from '../context.ts'
import { drained } from '../pubsub/drain.ts'
import { messageOf } from '../errors.ts'
import { afterCallback } from './job-schedule.ts'
import {
  claimJobs,
  finishJob,
  nextDueAt,
  RENEW_MS,
  renewLease,
  type ClaimedJob,
  type JobOwner,
} from './job-store.ts'
import { wakeBusOf } from '../wake.ts'

export interface JobRunner {
  start(): void
  wake(): void
  /** Resolves when no job is due. */
  idle(): Promise<void>
  stop(): Promise<void>
}

const POLL_MS = 500
// What is due and cannot be taken is being taken by another sidecar.
const CONTENDED_MS = 50
const CONCURRENCY = 16

export const jobChannel = (appId: string): string => `jobs ${appId}`

/** Calls `POST /job/{name}` for what is due. Jobs of an app without a running sidecar stay in the database. */
export function createJobRunner(context: SidecarContext): JobRunner {
  const { sql, appId, logger } = context
  const own: JobOwner = { appId, owner: context.newId() }
  const stopped = new AbortController()
  const running = new Map<string, Promise<void>>()
  let rest = new AbortController()
  let loop: Promise<void> = Promise.resolve()
  let unlisten = (): void => {}

  async function runDue(): Promise<boolean> {
    if (context.isPaused()) return false
    const jobs = await claimJobs(sql, own, context.clock.now(), CONCURRENCY - running.size)
    for (const job of jobs) {
      const run = runOne(job).finally(() => {
        running.delete(job.name)
        runner.wake()
      })
      running.set(job.name, run)
    }
    return jobs.length > 0
  }

  async function runOne(job: ClaimedJob): Promise<void> {
    const done = new AbortController()
    const renewing = renewUntil(job.name, done.signal)
    const succeeded = await callApp(context, job)
    done.abort()
    await renewing
    try {
      await finishJob(sql, own, job, afterCallback(job, succeeded))
    } catch (error) {
      logger.error(
        { job: job.name, err: error },
        'failed to save job result; job runs again when its lease ends',
      )
    }
  }

  async function renewUntil(name: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await context.delay(RENEW_MS, signal).catch(() => {})
      if (signal.aborted) return
      await renewLease(sql, own, name).catch((error: unknown) =>
        logger.error({ job: name, err: error }, 'failed to renew job lease'),
      )
    }
  }

  async function runAlways(): Promise<void> {
    let isFailing = false
    while (!stopped.signal.aborted) {
      rest = new AbortController()
      let wait = POLL_MS
      try {
        const dueAt = running.size < CONCURRENCY ? await nextDueAt(sql, appId) : null
        isFailing = false
        const untilDue = dueAt === null ? POLL_MS : dueAt.getTime() - context.clock.now().getTime()
        if (untilDue > 0) wait = Math.min(POLL_MS, untilDue)
        else wait = (await runDue()) ? 0 : CONTENDED_MS
      } catch (error) {
        if (!isFailing) logger.error({ err: error }, 'failed to poll due jobs')
        isFailing = true
      }
      await context.delay(wait, AbortSignal.any([stopped.signal, rest.signal])).catch(() => {})
    }
  }

  const runner: JobRunner = {
    start() {
      unlisten = wakeBusOf(sql).listen(jobChannel(appId), runner.wake)
      loop = runAlways()
    },
    wake() {
      rest.abort()
    },
    async idle() {
      while (!context.isPaused() && !stopped.signal.aborted) {
        await Promise.all(running.values())
        const dueAt = await nextDueAt(sql, appId)
        if (running.size === 0 && (dueAt === null || dueAt > context.clock.now())) return
        runner.wake()
        await new Promise(setImmediate)
      }
    },
    async stop() {
      stopped.abort()
      unlisten()
      await loop
      await drained(context, Promise.all(running.values()))
    },
  }
  return runner
}

/** A 404 counts as success, as every 2xx; nothing else does (dapr/pkg/runtime/scheduler, streamer.go). */
async function callApp({ app, logger }: SidecarContext, job: ClaimedJob): Promise<boolean> {
  if (job.data === null) {
    // Dapr 1.18.2 accepts such a job and then cannot send it.
    logger.error({ job: job.name }, 'failed to trigger job: it has no data')
    return false
  }
  try {
    const response = await app.call({
      method: 'POST',
      path: `/job/${job.name}`,
      headers: { 'content-type': 'application/json' },
      body: job.data,
    })
    await discardBody(response)
    if (response.ok || response.status === 404) return true
    logger.warn({ job: job.name, status: response.status }, 'failed to run job: app answered an error')
  } catch (error) {
    logger.warn({ job: job.name, reason: messageOf(error) }, 'failed to call job callback')
  }
  return false
}

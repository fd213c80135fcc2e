import { z } from 'zod'
import { errorCodeOf, isSuccess, readJson, refusal, type Transport } from './transport.ts'

export interface Job {
  /** Fires once at this instant; at once when it has passed. */
  readonly dueTime: Date
  /** Body of the callback. daprd 1.18.2 never delivers a job without data. */
  readonly data: object
  /** What follows a failed callback: so many retries at this interval, then (as with `drop`) the job is gone. */
  readonly failurePolicy: { readonly maxRetries: number; readonly intervalMs: number } | 'drop'
  /** Replaces a job of this name; otherwise an existing one is a DaprError `conflict`. */
  readonly overwrite: boolean
}

export interface ScheduledJob {
  readonly dueTime: string
  readonly data: unknown
}

const JobAnswer = z.object({ dueTime: z.string(), data: z.object({ value: z.unknown() }) })

/** One-shot jobs; the callback is `POST /job/<name>` of this app-id. Source: Dapr Jobs API reference. */
export function createJobs({ call, send }: Transport) {
  return {
    async schedule(name: string, { dueTime, data, failurePolicy, overwrite }: Job): Promise<void> {
      const constant = (policy: { maxRetries: number; intervalMs: number }) => ({
        constant: { maxRetries: policy.maxRetries, interval: `${policy.intervalMs / 1000}s` },
      })
      await call({
        operation: `schedule job ${name}`,
        method: 'POST',
        path: jobPath(name),
        json: {
          dueTime: dueTime.toISOString(),
          data,
          failurePolicy: failurePolicy === 'drop' ? { drop: {} } : constant(failurePolicy),
          overwrite,
        },
      })
    },

    /** The job, or null when there is none of this name (any more). */
    async get(name: string): Promise<ScheduledJob | null> {
      const operation = `get job ${name}`
      const answer = await send({ operation, method: 'GET', path: jobPath(name) })
      // An unknown job is a 500 like every other failure; only the text tells them apart.
      if (errorCodeOf(answer) === 'DAPR_SCHEDULER_GET_JOB' && answer.body.includes('job not found'))
        return null
      if (!isSuccess(answer)) throw refusal(operation, answer)
      const { dueTime, data } = readJson(operation, answer, JobAnswer)
      return { dueTime, data: data.value }
    },

    /** Deleting an unknown job is no error. */
    async delete(name: string): Promise<void> {
      await call({ operation: `delete job ${name}`, method: 'DELETE', path: jobPath(name) })
    },
  }
}

// daprd puts the name into the callback's URL as it is, so any other character would lose the job when it fires.
function jobPath(name: string): string[] {
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw new RangeError(`'${name}' is no name for a job`)
  return ['v1.0', 'jobs', name]
}

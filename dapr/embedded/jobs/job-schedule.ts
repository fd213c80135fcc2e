import { parseSchedule } from './cron-schedule.ts'
import { parsePointInTime } from '../durations.ts'
import type { ClaimedJob, Job, NextTry } from './job-store.ts'

export type JobTimes = Pick<Job, 'schedule' | 'dueTime' | 'ttl' | 'repeats'>

/**
 * When a new job is due first and ends, or null when it ends before it is due. Throws an Error with the scheduler's
 * text when the job makes no sense (go-etcd-cron, internal/scheduler/builder.go).
 */
export function planJob(times: JobTimes, now: Date): { tickAt: Date; expiresAt: Date | null } | null {
  const { schedule, dueTime, ttl, repeats } = times
  if (schedule === null && repeats !== null && repeats > 1)
    throw new Error('job must have a schedule to repeat')
  if (repeats !== null && repeats < 1) throw new Error('defined repeats must be greater than 0')
  if (schedule === null && ttl !== null) throw new Error('job must have a schedule to have a ttl')
  const nextAfter = schedule === null ? null : parseSchedule(schedule, { fields: 'six' })
  const dueAt = dueTime === null ? null : parsePointInTime(dueTime, now)
  if (dueTime !== null && dueAt === null) throw new Error('due time format not recognized')
  const expiresAt = ttl === null ? null : parsePointInTime(ttl, dueAt ?? now)
  if (ttl !== null && expiresAt === null) throw new Error('ttl format not recognized')
  if (dueAt && expiresAt && dueAt > expiresAt) throw new Error('ttl must be greater than due time')

  const tickAt = dueAt ?? nextAfter?.(now) ?? null
  return tickAt === null || (expiresAt && tickAt > expiresAt) ? null : { tickAt, expiresAt }
}

/** What follows a callback: the next tick of the schedule, another try by the failure policy, or nothing. */
export function afterCallback(job: ClaimedJob, succeeded: boolean): NextTry {
  const failures = job.failures + 1
  if (!succeeded && job.failurePolicy !== 'drop') {
    const { maxRetries, intervalMs } = job.failurePolicy
    // The interval counts from the last try's due time, so a job that is late is tried again at once.
    const dueAt = new Date(job.dueAt.getTime() + intervalMs)
    if (maxRetries === null || maxRetries >= failures)
      return { triggers: job.triggers, failures, tickAt: job.tickAt, dueAt }
  }
  const triggers = job.triggers + 1
  if (job.schedule === null || (job.repeats !== null && triggers >= job.repeats)) return null
  const tickAt = parseSchedule(job.schedule, { fields: 'six' })(job.tickAt)
  if (tickAt === null || (job.expiresAt && tickAt > job.expiresAt)) return null
  return { triggers, failures: 0, tickAt, dueAt: tickAt }
}

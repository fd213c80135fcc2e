import type { Alarms } from '../app/reminders/ports.ts'
import type { DaprClient } from './client.ts'

/** A callback that fails is repeated for two minutes; then the sweep has long seen to it. */
const RETRIES = { maxRetries: 12, intervalMs: 10_000 }

/** One job of the scheduler per reminder, `reminder-<id>`, at the absolute time of its next firing. */
export const createAlarms = ({ jobs }: Pick<DaprClient, 'jobs'>): Alarms => ({
  set: (reminderId, at) =>
    jobs.schedule(jobName(reminderId), { dueTime: at, data: {}, failurePolicy: RETRIES, overwrite: true }),
  cancel: (reminderId) => jobs.delete(jobName(reminderId)),
})

const jobName = (reminderId: string): string => `reminder-${reminderId}`

import { describe, expect, it } from 'vitest'
import { daprFailure, json, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()
const job = {
  dueTime: new Date('2026-12-01T09:00:00.250Z'),
  data: { reminder_id: 'r1' },
  failurePolicy: { maxRetries: 5, intervalMs: 1_500 },
  overwrite: true,
}

describe('jobs.schedule', () => {
  it('schedules one firing at an instant, with data and a failure policy in seconds', async () => {
    const seen = answerWith(noContent)
    await dapr.jobs.schedule('reminder-r1', job)
    expect(seen[0]).toMatchObject({ method: 'POST', target: '/v1.0/jobs/reminder-r1' })
    expect(seen[0]?.json()).toEqual({
      dueTime: '2026-12-01T09:00:00.250Z',
      data: { reminder_id: 'r1' },
      failurePolicy: { constant: { maxRetries: 5, interval: '1.5s' } },
      overwrite: true,
    })
  })

  it('can give up after the first failure', async () => {
    const seen = answerWith(noContent)
    await dapr.jobs.schedule('reminder-r1', { ...job, failurePolicy: 'drop' })
    expect(seen[0]?.json()).toMatchObject({ failurePolicy: { drop: {} } })
  })

  it('says `conflict` when a job of this name exists and may not be replaced', async () => {
    answerWith(daprFailure(409, 'DAPR_SCHEDULER_SCHEDULE_JOB', 'job already exists: reminder-r1'))
    await expect(dapr.jobs.schedule('reminder-r1', { ...job, overwrite: false })).rejects.toMatchObject({
      kind: 'conflict',
    })
  })

  it('says `refused` when the scheduler is away', async () => {
    answerWith(daprFailure(504, 'DAPR_SCHEDULER_SCHEDULE_JOB', 'context deadline exceeded'))
    await expect(dapr.jobs.schedule('reminder-r1', job)).rejects.toMatchObject({
      kind: 'refused',
      status: 504,
    })
  })

  it.each(['', '..', 'a/b', 'a b', 'r#1', 'r?1', 'ü'])('sends nothing for the name %j', async (name) => {
    const seen = answerWith(noContent)
    await expect(dapr.jobs.schedule(name, job)).rejects.toThrow(RangeError)
    expect(seen).toEqual([])
  })
})

describe('jobs.get', () => {
  it('gives due time and data as they were scheduled', async () => {
    const data = { '@type': 'type.googleapis.com/google.protobuf.Value', value: { reminder_id: 'r1' } }
    const seen = answerWith(json({ name: 'reminder-r1', dueTime: '2026-12-01T09:00:00.250Z', data }))
    expect(await dapr.jobs.get('reminder-r1')).toEqual({
      dueTime: '2026-12-01T09:00:00.250Z',
      data: { reminder_id: 'r1' },
    })
    expect(seen[0]).toMatchObject({ method: 'GET', target: '/v1.0/jobs/reminder-r1' })
  })

  it('gives null for an unknown job, which is a 500', async () => {
    answerWith(
      daprFailure(500, 'DAPR_SCHEDULER_GET_JOB', 'failed to get job due to: job not found: reminder-r1'),
    )
    expect(await dapr.jobs.get('reminder-r1')).toBeNull()
  })

  it('throws when the scheduler failed, so that the job does not pass for unknown', async () => {
    answerWith(daprFailure(500, 'DAPR_SCHEDULER_GET_JOB', 'failed to get job due to: cron is closed'))
    await expect(dapr.jobs.get('reminder-r1')).rejects.toMatchObject({ kind: 'refused', status: 500 })
  })
})

describe('jobs.delete', () => {
  it('deletes by name', async () => {
    const seen = answerWith(noContent)
    await dapr.jobs.delete('reminder-r1')
    expect(seen[0]).toMatchObject({ method: 'DELETE', target: '/v1.0/jobs/reminder-r1' })
  })
})

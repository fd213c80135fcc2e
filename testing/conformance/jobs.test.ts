import { beforeAll, describe, expect, it } from 'vitest'
import type { ReceivedCall } from '../sidecar/recording-app.ts'
import { refusalOf } from './harness/refusal.ts'
import { eventually, startSidecar, type Driver } from './harness/sidecar.ts'

let dapr: Driver

beforeAll(async () => {
  dapr = await startSidecar({ hasPubsub: false })
})

const schedule = (name: string, job: unknown, driver: Driver = dapr) =>
  driver.call(`/v1.0/jobs/${name}`, { method: 'POST', body: JSON.stringify(job) })
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()
const calls = (name: string, driver: Driver = dapr) => driver.app.calls(`/job/${name}`)

async function called(name: string, times: number, driver: Driver = dapr): Promise<ReceivedCall[]> {
  await eventually(() => expect(calls(name, driver)).toHaveLength(times))
  return calls(name, driver)
}

async function isGone(name: string): Promise<boolean> {
  return (await dapr.call(`/v1.0/jobs/${name}`)).status === 500
}

describe('jobs', () => {
  it('calls the app once when a job is due, never earlier, with the data as it was given', async () => {
    const dueAt = inMs(300)
    expect((await schedule('once', { dueTime: dueAt, data: { text: 'Grüße', n: [1, null] } })).status).toBe(
      204,
    )
    await called('once', 1)
    const [call] = calls('once')
    expect(call!.method).toBe('POST')
    expect(call!.headers.get('content-type')).toContain('application/json')
    expect(JSON.parse(call!.body)).toEqual({ text: 'Grüße', n: [1, null] })
    expect(call!.at.getTime()).toBeGreaterThanOrEqual(Date.parse(dueAt))
    await eventually(async () => expect(await isGone('once')).toBe(true))
    expect(calls('once')).toHaveLength(1)
  })

  it.each([
    ['a text', '"quoted"'],
    ['null', 'null'],
    ['a number', '7'],
  ])('sends %s as JSON', async (name, body) => {
    const id = name.replaceAll(' ', '-')
    await dapr.call(`/v1.0/jobs/${id}`, { method: 'POST', body: `{"dueTime":"0s","data":${body}}` })
    await called(id, 1)
    expect(calls(id)[0]!.body).toBe(body)
  })

  it('fires a job at once whose due time has passed', async () => {
    await schedule('late', { dueTime: '2020-01-01T00:00:00Z', data: {} })
    expect(await called('late', 1)).toHaveLength(1)
  })

  it('accepts the route of older releases', async () => {
    const response = await dapr.call('/v1.0-alpha1/jobs/alpha', {
      method: 'POST',
      body: '{"dueTime":"1h","data":{}}',
    })
    expect(response.status).toBe(204)
    expect((await dapr.call('/v1.0/jobs/alpha')).status).toBe(200)
  })

  it('answers what it knows of a job, with the default failure policy', async () => {
    await schedule('known', { schedule: '@every 1h', repeats: 3, ttl: '24h', data: { a: 1 } })
    const response = await dapr.call('/v1.0/jobs/known')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      name: 'known',
      schedule: '@every 1h',
      repeats: 3,
      ttl: '24h',
      data: { '@type': 'type.googleapis.com/google.protobuf.Value', value: { a: 1 } },
      failurePolicy: { constant: { interval: '1s', maxRetries: 3 } },
    })
  })

  it('answers the failure policy that it was given', async () => {
    const policies = [
      [{ drop: {} }, { drop: {} }],
      [{ constant: { interval: '1.5s' } }, { constant: { interval: '1.500s' } }],
      [{ constant: { interval: '30s', maxRetries: 5 } }, { constant: { interval: '30s', maxRetries: 5 } }],
    ]
    for (const [given, told] of policies) {
      await schedule('policy', { due_time: '1h', data: null, failure_policy: given, overwrite: true })
      const answer = (await (await dapr.call('/v1.0/jobs/policy')).json()) as Record<string, unknown>
      expect(answer).toMatchObject({ name: 'policy', dueTime: '1h', failurePolicy: told })
    }
  })

  it('repeats a schedule as often as asked, then forgets it', async () => {
    await schedule('thrice', { schedule: '@every 200ms', repeats: 3, data: {} })
    await called('thrice', 3)
    await eventually(async () => expect(await isGone('thrice')).toBe(true))
    const [a, b, c] = calls('thrice').map(({ at }) => at.getTime())
    expect(b! - a!).toBeGreaterThan(100)
    expect(c! - b!).toBeGreaterThan(100)
  })

  it('ends a schedule with its ttl', async () => {
    await schedule('short', { schedule: '@every 200ms', ttl: '500ms', data: {} })
    await called('short', 2)
    await eventually(async () => expect(await isGone('short')).toBe(true))
    expect(calls('short')).toHaveLength(2)
  })

  it('does not call for a deleted job', async () => {
    await schedule('deleted', { dueTime: inMs(200), data: {} })
    await schedule('after-deleted', { dueTime: inMs(400), data: {} })
    expect((await dapr.call('/v1.0/jobs/deleted', { method: 'DELETE' })).status).toBe(204)
    await called('after-deleted', 1)
    expect(calls('deleted')).toHaveLength(0)
  })

  it('replaces a job with overwrite only', async () => {
    await schedule('again', { dueTime: '1h', data: { version: 1 } })
    const conflict = await schedule('again', { dueTime: '0s', data: { version: 2 } })
    expect(await refusalOf(conflict)).toBe(
      `409 DAPR_SCHEDULER_SCHEDULE_JOB [DAPR_SCHEDULER_SCHEDULE_JOB] failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: 'app||default||${dapr.appId}||again'`,
    )
    expect((await schedule('again', { dueTime: '0s', data: { version: 3 }, overwrite: true })).status).toBe(
      204,
    )
    await called('again', 1)
    expect(calls('again')[0]!.body).toBe('{"version":3}')
  })

  const failed = (why: string) =>
    `500 DAPR_SCHEDULER_SCHEDULE_JOB [DAPR_SCHEDULER_SCHEDULE_JOB] failed to schedule job due to: rpc error: code = Unknown desc = ${why}`
  const invalid = (why: string) => failed(`job failed validation: ${why}`)
  const malformed = '400 ERR_MALFORMED_REQUEST failed deserializing HTTP body: '
  const minutes = { constant: { interval: '1m' } }
  it.each([
    [
      'neither schedule nor due time',
      { data: {} },
      '400 DAPR_SCHEDULER_SCHEDULE_EMPTY [DAPR_SCHEDULER_SCHEDULE_EMPTY] Schedule is empty',
    ],
    [
      'a name in the body',
      { name: 'x', dueTime: '1s', data: {} },
      '400 DAPR_SCHEDULER_JOB_NAME [DAPR_SCHEDULER_JOB_NAME] Set the job name in the url only',
    ],
    [
      'an unreadable schedule',
      { schedule: 'now and then', data: {} },
      invalid('expected exactly 6 fields, found 3: [now and then]'),
    ],
    [
      'five fields',
      { schedule: '0 9 * * *', data: {} },
      invalid('expected exactly 6 fields, found 5: [0 9 * * *]'),
    ],
    ['an unreadable due time', { dueTime: 'soon', data: {} }, invalid('due time format not recognized')],
    [
      'an unreadable ttl',
      { schedule: '@daily', ttl: 'soon', data: {} },
      invalid('ttl format not recognized'),
    ],
    [
      'a ttl without schedule',
      { dueTime: '1s', ttl: '2s', data: {} },
      invalid('job must have a schedule to have a ttl'),
    ],
    [
      'repeats without schedule',
      { dueTime: '1s', repeats: 2, data: {} },
      invalid('job must have a schedule to repeat'),
    ],
    [
      'no repeats',
      { schedule: '@daily', repeats: 0, data: {} },
      invalid('defined repeats must be greater than 0'),
    ],
    ['a wrong type', { dueTime: 5 }, malformed],
    ['minutes in a protobuf duration', { dueTime: '1s', data: {}, failurePolicy: minutes }, malformed],
    [
      'two failure policies',
      { dueTime: '1s', data: {}, failurePolicy: { drop: {}, constant: {} } },
      malformed,
    ],
  ])('refuses %s', async (_, job, error) => {
    expect((await refusalOf(await schedule('bad', job))).slice(0, error.length)).toBe(error)
  })

  it('refuses a body that is no JSON', async () => {
    const response = await dapr.call('/v1.0/jobs/bad', { method: 'POST', body: 'x' })
    expect((await refusalOf(response)).slice(0, malformed.length)).toBe(malformed)
  })

  const wrongName = (name: string, why: string) =>
    failed(`job name is invalid "app||default||${dapr.appId}||${name}": ${why}`)
  it.each([
    ['a%3Fb', 'a?b', "must not contain '/', '\\', '#' or '?'"],
    ['a%2Fb', 'a/b', "must not contain '/', '\\', '#' or '?'"],
    ['a%23b', 'a#b', "must not contain '/', '\\', '#' or '?'"],
    ['a%0Ab', 'a\\nb', 'must not contain control characters'],
  ])('refuses the name %s', async (name, shown, why) => {
    expect(await refusalOf(await schedule(name, { dueTime: '1s', data: {} }))).toBe(wrongName(shown, why))
  })

  it('refuses a name of blanks', async () => {
    expect(await refusalOf(await schedule('%20', { dueTime: '1s', data: {} }))).toBe(
      '400 DAPR_SCHEDULER_JOB_NAME_EMPTY [DAPR_SCHEDULER_JOB_NAME_EMPTY] Name is empty',
    )
  })

  it('answers 500 for a job it does not know, and 204 when asked to delete it', async () => {
    expect(await refusalOf(await dapr.call('/v1.0/jobs/unknown'))).toBe(
      '500 DAPR_SCHEDULER_GET_JOB [DAPR_SCHEDULER_GET_JOB] failed to get job due to: rpc error: code = NotFound desc = job not found: unknown',
    )
    expect((await dapr.call('/v1.0/jobs/unknown', { method: 'DELETE' })).status).toBe(204)
  })
})

describe('a failing job callback', () => {
  const failing = (name: string) => dapr.app.on(`/job/${name}`, () => new Response(null, { status: 500 }))

  it('is tried again as the failure policy says, then given up', async () => {
    failing('fails')
    const failurePolicy = { constant: { interval: '0.05s', maxRetries: 2 } }
    await schedule('fails', { dueTime: '0s', data: {}, failurePolicy })
    await called('fails', 3)
    await eventually(async () => expect(await isGone('fails')).toBe(true))
    expect(calls('fails')).toHaveLength(3)
  })

  it('is tried once with the policy "drop"', async () => {
    failing('dropped')
    await schedule('dropped', { dueTime: '0s', data: {}, failurePolicy: { drop: {} } })
    await called('dropped', 1)
    await eventually(async () => expect(await isGone('dropped')).toBe(true))
    expect(calls('dropped')).toHaveLength(1)
  })

  it('is tried after a rejected call as after an error', async () => {
    dapr.app.on('/job/unreachable', (_, attempt) =>
      attempt === 1 ? Promise.reject(new Error('connection refused')) : undefined,
    )
    await schedule('unreachable', {
      dueTime: '0s',
      data: {},
      failurePolicy: { constant: { interval: '0.05s' } },
    })
    expect(await called('unreachable', 2)).toHaveLength(2)
  })

  it('counts a 404 as success', async () => {
    dapr.app.on('/job/missing', () => new Response(null, { status: 404 }))
    await schedule('missing', { dueTime: '0s', data: {}, failurePolicy: { constant: { interval: '0.05s' } } })
    await eventually(async () => expect(await isGone('missing')).toBe(true))
    expect(calls('missing')).toHaveLength(1)
  })

  it('does not end a schedule', async () => {
    failing('recurring')
    await schedule('recurring', {
      schedule: '@every 100ms',
      data: {},
      failurePolicy: { drop: {} },
      repeats: 3,
    })
    expect(await called('recurring', 3)).toHaveLength(3)
  })

  it('never reaches the app for a job without data, as in Dapr 1.18.2', async () => {
    await schedule('no-data', { dueTime: '0s', failurePolicy: { drop: {} } })
    await eventually(async () => expect(await isGone('no-data')).toBe(true))
    expect(calls('no-data')).toHaveLength(0)
  })
})

describe('jobs and restarts', () => {
  it('a job that falls due while no sidecar of its app runs is delivered when one starts', async () => {
    const sleeper = await startSidecar({ hasPubsub: false })
    const dueAt = inMs(300)
    await schedule('staged', { dueTime: dueAt, data: { staged: true } }, sleeper)
    await sleeper.stop()
    await schedule('marker', { dueTime: inMs(400), data: {} })
    await called('marker', 1)
    expect(calls('staged', sleeper)).toHaveLength(0)
    await sleeper.start()
    await called('staged', 1, sleeper)
  })

  it('a job that was under way in a crash is called again', async () => {
    const own = await startSidecar({ hasPubsub: false })
    own.app.on('/job/crashed', (_, attempt) => (attempt === 1 ? new Promise<Response>(() => {}) : undefined))
    await schedule('crashed', { dueTime: '0s', data: { n: 1 } }, own)
    await called('crashed', 1, own)
    await own.crash()
    await own.start()
    await called('crashed', 2, own)
    expect(calls('crashed', own)[1]!.body).toBe('{"n":1}')
  })
})

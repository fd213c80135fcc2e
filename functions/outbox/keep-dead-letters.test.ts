import type { Hono } from 'hono'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSidecar } from '../../dapr/embedded/sidecar.ts'
import { temporaryDirectory, testResources } from '../../testing/sidecar/embedded-sidecar.ts'
import type { DeadLetter, DeadLetters } from '../../shared/app/outbox/ports.ts'
import { PermanentError } from '../../shared/domain/errors.ts'
import { TaskCompleted } from '../../shared/domain/events.ts'
import { taskView } from '../../shared/domain/tasks/task.ts'
import type { AppEnv } from '../../shared/kit/base-app.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { aChange, anEvent, aTask, NOON } from '../../testing/builders/a-task.ts'
import { APP_TOKEN, composeDaybook } from '../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { SYSTEM_RESOURCES } from '../compose.ts'
import { loadFunctions } from '../main.ts'

const PATIENT = { timeout: 10_000 }

const sql = await testDatabase()
/** Of the consumers: `steady` does its work once per event, `failing` as it is told. */
const done: { steady: string[]; failing: string[] } = { steady: [], failing: [] }
let failure: Error | null = null
let isKeepingBroken = false
let writtenBefore = 0

let app: Hono<AppEnv> | undefined
const sidecar = createSidecar({
  appId: 'daybook',
  sql,
  resources: testResources(),
  env: {},
  logger: silentLogger,
  dataDir: await temporaryDirectory(),
  appToken: APP_TOKEN,
  clock: { now: () => new Date(Date.now()) },
  fetch: () => Promise.reject(new Error('no network in this test')),
  app: (request) => app?.fetch(request) ?? new Response(null, { status: 503 }),
})
const { deps } = composeDaybook(sql, {
  resources: {
    ...SYSTEM_RESOURCES,
    log: silentLogger,
    sidecarFetch: (url, init) => sidecar.fetch(new Request(url, init)),
  },
})
const keep: DeadLetters['keep'] = (letter) =>
  isKeepingBroken ? Promise.reject(new Error('the database is away')) : deps.deadLetters.keep(letter)

const consumer = (name: 'steady' | 'failing') =>
  Object.assign(
    topicFunction({
      on: [TaskCompleted],
      uses: [],
      handle: async ({ event, commit }) => {
        if (name === 'failing' && failure) throw failure
        const { outcome } = await commit(aChange(event.userid, { events: [] }))
        if (outcome === 'applied') done[name].push(event.id)
      },
    }),
    { name: `test/${name}` },
  )
const [keepDeadLetters] = await loadFunctions(['outbox/keep-dead-letters'])
app = mountFunctions([consumer('steady'), consumer('failing'), keepDeadLetters!], {
  ...deps,
  deadLetters: { ...deps.deadLetters, keep },
})
await sidecar.start()
afterAll(async () => {
  await deps.publishing.stop()
  await sidecar.stop()
})
beforeEach(async () => {
  failure = null
  isKeepingBroken = false
  writtenBefore += await written()
  await sql`delete from dead_letters`
  done.steady = []
  done.failing = []
})

const letters = () => deps.deadLetters.list({ state: 'all', limit: 100, after: null })

async function until(condition: (found: DeadLetter[]) => boolean): Promise<DeadLetter[]> {
  await vi.waitFor(async () => expect(condition(await letters())).toBe(true), PATIENT)
  return await letters()
}

/** A task is completed; resolves to the event's id. */
async function complete(): Promise<string> {
  const task = aTask({ completedAt: NOON })
  const data = { task: taskView(task), actor: { type: 'user', id: task.userId } }
  const event = anEvent({ type: 'task.completed', subject: `task/${task.id}`, data })
  await deps.changes.commit(aChange(task.userId, { events: [event] }))
  deps.publishing.wake()
  return event.id
}

async function post(path: string, contentType: string, body: string): Promise<void> {
  const headers = { 'content-type': contentType }
  const request = new Request(`http://sidecar/v1.0/publish/pubsub/${path}`, { method: 'POST', headers, body })
  expect((await sidecar.fetch(request)).status).toBe(204)
}
/** Publishes a text that need be no CloudEvent. */
const publishRaw = (topic: string, text: string) =>
  post(`${topic}?metadata.rawPayload=true`, 'text/plain', text)
const publish = (topic: string, event: object) =>
  post(topic, 'application/cloudevents+json', JSON.stringify(event))

/** How many messages the topic of dead letters has had in this test. */
async function counted(): Promise<number> {
  const [topic] = await sql<{ count: number }[]>`
    select next_offset::int as count from dapr.topics where name = 'dlq-events'`
  return (topic?.count ?? 0) - writtenBefore
}
/** The same, once everything is delivered. */
async function written(): Promise<number> {
  await sidecar.idle()
  return await counted()
}

const gaveUp = new PermanentError('the list is gone')

describe('keep-dead-letters', () => {
  it('keeps what a consumer gave up on, and a replay brings it to that consumer and to it alone', async () => {
    failure = gaveUp
    const id = await complete()
    const [letter] = await until(({ length }) => length === 1)
    expect(letter).toMatchObject({
      eventId: id,
      consumer: 'failing',
      type: 'task.completed',
      reason: 'the list is gone',
      state: 'open',
      times: 1,
      letter: { id, type: 'task.completed', dlqconsumer: 'failing' },
    })
    expect(letter!.userId).toBe((letter!.letter as { userid: string }).userid)
    expect(done).toEqual({ steady: [id], failing: [] })

    // Still broken: it comes back, and that is one letter.
    expect(await deps.deadLetters.replay(letter!.id, new Date())).toBe('replayed')
    deps.publishing.wake()
    await until(([again]) => again?.state === 'open' && again.times === 2)
    expect(await letters()).toHaveLength(1)

    failure = null
    expect(await deps.deadLetters.replay(letter!.id, new Date())).toBe('replayed')
    deps.publishing.wake()
    await vi.waitFor(() => expect(done.failing).toEqual([id]), PATIENT)
    expect(done.steady).toEqual([id])
    expect(await letters()).toMatchObject([{ state: 'replayed', times: 2 }])
  })

  it('keeps what the sidecar gave up on after its tries, which says neither who nor why', async () => {
    failure = new Error('a dependency is away')
    const id = await complete()
    const [letter] = await until(({ length }) => length === 1)
    expect(letter).toMatchObject({ eventId: id, consumer: 'sidecar', state: 'open', letter: { id } })
    expect(letter!.reason).toMatch(/every attempt failed/)
  })

  it.each([
    ['text that is no JSON', '{"half":'],
    ['JSON that is no event', '{"hello":"world"}'],
    [
      'an event of ours that is broken',
      `{"id":"${randomUUID()}","type":"task.completed","specversion":"1.0"}`,
    ],
    ['an event of a type unknown', '{"id":"a","type":"moon.phase","specversion":"1.0","source":"x"}'],
    ['nothing', '""'],
    ['a NUL, which PostgreSQL does not hold', '{"id":"nul","title":"a\\u0000b"}'],
    ['half a character', '{"id":"half\\ud800"}'],
    ['what is nested too deep to be written again', '['.repeat(50_000) + ']'.repeat(50_000)],
  ])('takes %s from its own topic once, and puts nothing back', async (_, text) => {
    await publishRaw('dlq-events', text)
    await publishRaw('dlq-events', text)
    await until(({ length }) => length === 1)
    expect(await written()).toBe(2)
    expect(await until(() => true)).toMatchObject([{ state: 'open', times: 1 }])
  })

  it.each([
    ['text that is no JSON', '{"half":', /^sidecar$/],
    ['a wrong version of an event', JSON.stringify({ type: 'task.completed', id: 'x' }), /^parse$/],
    ['a broken event without an id', JSON.stringify({ type: 'task.completed' }), /^parse$/],
  ])('keeps %s of any topic once, however often it comes', async (_, text, consumer) => {
    await publishRaw('task-events', text)
    await publishRaw('task-events', text)
    const [letter] = await until(({ length }) => length === 1)
    expect(letter!.consumer).toMatch(consumer)
    expect(await written()).toBe(2)
    expect(await until(() => true)).toMatchObject([{ state: 'open', times: 1 }])
  })

  it('keeps a letter that it could not keep for longer than the sidecar tries', async () => {
    isKeepingBroken = true
    const id = randomUUID()
    await publish('dlq-events', {
      id,
      type: 'task.created',
      specversion: '1.0',
      source: 'x',
      dlqconsumer: 'a',
    })
    // It has gone round: more than one message, and none of them lost.
    await vi.waitFor(async () => expect(await counted()).toBeGreaterThan(2), PATIENT)
    expect(await letters()).toEqual([])
    isKeepingBroken = false
    expect(await until(({ length }) => length === 1)).toMatchObject([
      { eventId: id, consumer: 'a', times: 1 },
    ])
  })

  it('never lets what a letter says do anything to a terminal', async () => {
    const hostile = { dlqconsumer: '\u001b[2Jgone', dlqreason: 'a\r\nb\u202e', type: 'x'.repeat(5000) }
    await publish('dlq-events', { id: 'y'.repeat(5000), specversion: '1.0', source: 'x', ...hostile })
    const [letter] = await until(({ length }) => length === 1)
    expect(letter).toMatchObject({ consumer: '[2Jgone', reason: 'a b', type: 'x'.repeat(100) })
    expect(letter!.eventId).toMatch(/^content-[0-9a-f]{32}$/)
    expect(letter!.letter).toMatchObject(hostile)
  })
})

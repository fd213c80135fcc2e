import { describe, expect, it } from 'vitest'
import { toCloudEvent, type CloudEvent } from '../domain/cloud-event.ts'
import { PermanentError } from '../domain/errors.ts'
import { OccurrenceSkipped, TaskCompleted, TaskCreated, UserRegistered } from '../domain/events.ts'
import { taskView, type TaskView } from '../domain/tasks/task.ts'
import { aChange, aTask, anEvent, NOON } from '../../testing/builders/a-task.ts'
import { APP_TOKEN as TOKEN, composeDaybook } from '../../testing/worlds/compose-daybook.ts'
import { testDatabase } from '../../testing/worlds/database.ts'
import { mountFunctions } from './mount-functions.ts'
import { rawTopicFunction, topicFunction, type TopicFunction } from './topic-function.ts'

const sql = await testDatabase()
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

type Letter = CloudEvent & { dlqconsumer: string; dlqreason: string }

/** Topic functions in a process whose broker takes dead letters, refuses them or is away. */
function worker(functions: TopicFunction[]) {
  const letters: Letter[] = []
  const state: { broker: 'takes' | 'refuses' | 'away' } = { broker: 'takes' }
  const publishAll = async (topic: string, events: CloudEvent[]) => {
    expect(topic).toBe('dlq-events')
    if (state.broker === 'away') throw new Error('connection refused')
    if (state.broker === 'refuses') return new Set(events.map(({ id }) => id))
    letters.push(...(events as Letter[]))
    return new Set<string>()
  }
  const { deps } = composeDaybook(sql, {
    resources: { createBroker: () => ({ eventsPerUser: 1, publishAll }) },
  })
  const app = mountFunctions(functions, deps)
  const send = (body: string, headers: Record<string, string> = { 'dapr-api-token': TOKEN }) =>
    app.request('/dapr/events/task-events', { method: 'POST', body, headers })
  return {
    app,
    deps,
    letters,
    state,
    send,
    deliver: async (message: unknown) => {
      const answer = await send(typeof message === 'string' ? message : JSON.stringify(message))
      expect(answer.status).toBe(200)
      return ((await answer.json()) as { status: string }).status
    },
  }
}

function completed(over: object = {}): CloudEvent {
  const task = aTask({ completedAt: NOON })
  const data = { task: taskView(task), actor: { type: 'user', id: task.userId } }
  const draft = anEvent({ type: 'task.completed', subject: `task/${task.id}`, data })
  const trace = { traceparent: TRACE, tracestate: 'shop=t61' }
  return { ...toCloudEvent({ ...draft, userId: task.userId, sequence: 7, trace }), ...over }
}

const named = (consumer: string, fn: TopicFunction) => Object.assign(fn, { name: `test/${consumer}` })

const handler = (consumer: string, handle: () => Promise<void>) =>
  named(consumer, topicFunction({ on: [TaskCompleted], uses: [], handle }))

/** Does its work once per event: writes one event of its own under its mark, then fails as often as it is told. */
function effect(consumer: string, failures = 0, error = new Error('not now')) {
  const calls: string[] = []
  const fn = topicFunction({
    on: [TaskCompleted],
    uses: [],
    handle: async ({ event, commit }) => {
      if (failures-- > 0) throw error
      const { outcome } = await commit(aChange(event.userid))
      calls.push(outcome)
    },
  })
  return { fn: named(consumer, fn), calls }
}

describe('subscriptions', () => {
  it('name each topic once, however many functions want it, with a place for dead letters', async () => {
    const both = named(
      'b',
      topicFunction({ on: [TaskCreated, UserRegistered], uses: [], handle: async () => {} }),
    )
    const { app } = worker([handler('a', async () => {}), both])
    const answer = await app.request('/dapr/subscribe', { headers: { 'dapr-api-token': TOKEN } })
    expect(await answer.json()).toEqual(
      ['task-events', 'audit-events'].map((topic) => ({
        pubsubname: 'pubsub',
        topic,
        route: `/dapr/events/${topic}`,
        deadLetterTopic: 'dlq-events',
      })),
    )
  })

  it.each([
    ['GET', '/dapr/subscribe'],
    ['GET', '/dapr/config'],
    ['POST', '/dapr/events/task-events'],
  ])('refuse %s %s to everyone but the sidecar', async (method, path) => {
    let calls = 0
    const { app } = worker([handler('a', async () => void (calls += 1))])
    const body = method === 'POST' ? JSON.stringify(completed()) : null
    for (const headers of [{}, { 'dapr-api-token': 'guessed' }, { 'dapr-api-token': `${TOKEN}x` }]) {
      expect((await app.request(path, { method, headers, body })).status).toBe(401)
    }
    expect(calls).toBe(0)
    expect((await app.request(path, { method, headers: { 'dapr-api-token': TOKEN }, body })).status).toBe(200)
    expect(calls).toBe(method === 'POST' ? 1 : 0)
  })

  it('of messages ask for them as they are, and do not share their topic', async () => {
    const taker = named('taker', rawTopicFunction({ topic: 'task-events', uses: [], take: async () => {} }))
    const { app } = worker([taker])
    const answer = await app.request('/dapr/subscribe', { headers: { 'dapr-api-token': TOKEN } })
    expect(await answer.json()).toMatchObject([{ topic: 'task-events', metadata: { rawPayload: 'true' } }])
    expect(() => worker([taker, effect('a').fn])).toThrow('messages of task-events are taken by one function')
  })

  it('bring many at a time where no function of the topic does more than commit', async () => {
    const committing = (consumer: string, onlyCommits: boolean) =>
      named(consumer, topicFunction({ on: [TaskCompleted], uses: [], onlyCommits, handle: async () => {} }))
    const subscribed = async (functions: TopicFunction[]) =>
      (
        await worker(functions).app.request('/dapr/subscribe', { headers: { 'dapr-api-token': TOKEN } })
      ).json()
    const bulkSubscribe = { enabled: true, maxMessagesCount: 100, maxAwaitDurationMs: 10 }
    expect(await subscribed([committing('a', true)])).toMatchObject([{ topic: 'task-events', bulkSubscribe }])
    const [mixed] = (await subscribed([committing('a', true), committing('b', false)])) as object[]
    expect(mixed).not.toHaveProperty('bulkSubscribe')
  })

  it('do not allow two functions with one name, whose dedupe marks would be the same', () => {
    const twice = [handler('same', async () => {}), handler('same', async () => {})]
    expect(() => worker(twice)).toThrow('two topic functions named same')
  })
})

describe('a message', () => {
  it('is done when every function that wants it is, and each does its work once', async () => {
    const [first, second, slow] = [effect('first'), effect('second'), effect('slow', 2)]
    const { deliver } = worker([first.fn, second.fn, slow.fn])
    const message = completed()
    expect(await deliver(message)).toBe('RETRY')
    expect(await deliver(message)).toBe('RETRY')
    expect(await deliver(message)).toBe('SUCCESS')
    expect(first.calls).toEqual(['applied', 'already_processed', 'already_processed'])
    expect(second.calls).toEqual(['applied', 'already_processed', 'already_processed'])
    expect(slow.calls).toEqual(['applied'])
  })

  it('reaches only the functions that want its type', async () => {
    const seen: string[] = []
    const on = (consumer: string, definition: typeof TaskCompleted | typeof OccurrenceSkipped) =>
      named(
        consumer,
        topicFunction({
          on: [definition],
          uses: [],
          handle: async ({ event }) => void seen.push(`${consumer} ${event.type}`),
        }),
      )
    const { deliver } = worker([on('a', TaskCompleted), on('b', OccurrenceSkipped)])
    expect(await deliver(completed())).toBe('SUCCESS')
    expect(seen).toEqual(['a task.completed'])
  })

  it('of a type that nobody here wants, or that a newer Daybook has, is done', async () => {
    const { deliver, letters } = worker([effect('a').fn])
    expect(await deliver(completed({ type: 'task.created' }))).toBe('SUCCESS')
    expect(await deliver(completed({ type: 'task.cloned', data: { anything: 1 } }))).toBe('SUCCESS')
    expect(letters).toEqual([])
  })

  it('is given to a function with its data as the catalogue has it and its trace continued', async () => {
    const seen: { title: string; traceparent: string; tracestate: string | null }[] = []
    const fn = topicFunction({
      on: [TaskCompleted],
      uses: [],
      handle: async ({ event, trace }) => void seen.push({ title: event.data.task.title, ...trace }),
    })
    expect(await worker([named('a', fn)]).deliver(completed())).toBe('SUCCESS')
    expect(seen[0]).toMatchObject({ title: 'Pay rent', tracestate: 'shop=t61' })
    expect(seen[0]!.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
    expect(seen[0]!.traceparent).not.toBe(TRACE)
  })
})

describe('a message that is taken as it is', () => {
  const wrapped = (text: string) => ({
    id: 'new each time',
    data_base64: Buffer.from(text).toString('base64'),
  })

  it('arrives as its bytes, under an id that only its bytes decide', async () => {
    const taken: { text: string; contentId: string }[] = []
    const taker = rawTopicFunction({
      topic: 'task-events',
      uses: [],
      take: async ({ body, contentId }) => void taken.push({ text: body.toString(), contentId }),
    })
    const { deliver } = worker([named('taker', taker)])
    for (const text of ['{"half":', '{"half":', '', JSON.stringify(completed())]) {
      expect(await deliver(wrapped(text))).toBe('SUCCESS')
    }
    expect(taken.slice(0, 3).map(({ text }) => text)).toEqual(['{"half":', '{"half":', ''])
    expect(new Set(taken.map(({ contentId }) => contentId)).size).toBe(3)
  })

  it.each([
    ['fails', wrapped('anything')],
    ['is not wrapped', { hello: 'world' }],
    ['is no JSON', 'nonsense'],
  ])('is tried again when it %s, and never moved to the dead letters', async (_, message) => {
    const take = () => Promise.reject(new PermanentError('no'))
    const { deliver, letters } = worker([
      named('a', rawTopicFunction({ topic: 'task-events', uses: [], take })),
    ])
    expect(await deliver(message)).toBe('RETRY')
    expect(letters).toEqual([])
  })
})

const view = (message: CloudEvent) => (message.data as { task: TaskView }).task

describe('dead letters', () => {
  const good = completed()
  it.each<[string, unknown, RegExp]>([
    ['text that is not JSON', '{"half":', /not JSON/],
    ['JSON that is no CloudEvent', { hello: 'world' }, /not a Daybook CloudEvent/],
    ['a list', [1, 2], /not a Daybook CloudEvent/],
    ['a CloudEvent without an owner', { ...good, userid: undefined }, /userid/],
    ['a version of the data that is not known', { ...good, dataversion: '2.0' }, /dataversion 2\.0/],
    ['data without the task', { ...good, data: {} }, /data does not fit task\.completed/],
    [
      'a task with a wrong field',
      { ...good, data: { ...(good.data as object), task: { ...view(good), version: 0 } } },
      /version/,
    ],
  ])('get %s, with the reason', async (_, message, reason) => {
    const { fn, calls } = effect('a')
    const { deliver, letters } = worker([fn])
    expect(await deliver(message)).toBe('SUCCESS')
    expect(calls).toEqual([])
    expect(letters).toHaveLength(1)
    const [letter] = letters
    expect(letter!.dlqconsumer).toBe('parse')
    expect(letter!.dlqreason).toMatch(reason)
    expect(letter).toMatchObject({ specversion: '1.0', id: expect.stringMatching(/./) as string })
    // What came is all there, whatever it was.
    const isObject = typeof message === 'object' && !Array.isArray(message)
    const sent = JSON.parse(JSON.stringify(isObject ? message : { data: message })) as object
    expect(letter).toMatchObject(sent)
  })

  it('get an event that a function gives up on, unchanged, with its name; the others do their work', async () => {
    const other = effect('other')
    const stubborn = handler('stubborn', () => Promise.reject(new PermanentError('the list is gone')))
    const { deliver, letters } = worker([stubborn, other.fn])
    const data = { ...(completed().data as object), of_a_later_minor_version: true }
    const message = completed({ data, extension: 'kept' })
    expect(await deliver(message)).toBe('SUCCESS')
    expect(other.calls).toEqual(['applied'])
    expect(letters).toEqual([{ ...message, dlqconsumer: 'stubborn', dlqreason: 'the list is gone' }])
  })

  it('know a message without an id again', async () => {
    const { deliver, letters } = worker([effect('a').fn])
    for (const message of [{ hello: 1 }, { hello: 1 }, { hello: 2 }]) await deliver(message)
    const [first, again, other] = letters.map(({ id }) => id)
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('get one letter, not one per retry, when another function needs several tries', async () => {
    const stubborn = handler('stubborn', () => Promise.reject(new PermanentError('no')))
    const { deliver, letters } = worker([stubborn, effect('slow', 3).fn])
    const message = completed()
    for (const status of ['RETRY', 'RETRY', 'RETRY', 'SUCCESS']) expect(await deliver(message)).toBe(status)
    expect(letters).toHaveLength(1)
  })

  it.each(['refuses', 'away'] as const)('stay messages while the broker %s', async (broker) => {
    const { deliver, letters, state } = worker([effect('a').fn])
    state.broker = broker
    expect(await deliver('nonsense')).toBe('RETRY')
    state.broker = 'takes'
    expect(await deliver('nonsense')).toBe('SUCCESS')
    expect(letters.map(({ data }) => data)).toEqual(['nonsense'])
  })
})

describe.each([true, false])('a batch, for a function that only commits: %s', (onlyCommits) => {
  const entry = (event: unknown, nth: number) => ({ entryId: `${nth}`, event, metadata: {} })
  const batchOf = (events: readonly unknown[]) => ({
    id: 'batch',
    type: 'com.dapr.event.sent.bulk',
    topic: 'task-events',
    pubsubname: 'pubsub',
    entries: events.map(entry),
  })

  /** Writes one event of its own for each, and fails for those named, as often as it is told. */
  function writer(fails: Map<string, Error | number>) {
    const fn = topicFunction({
      on: [TaskCompleted],
      uses: [],
      onlyCommits,
      handle: async ({ event, commit }) => {
        const failure = fails.get(event.id)
        if (failure instanceof Error) throw failure
        if (failure !== undefined && failure > 0) {
          fails.set(event.id, failure - 1)
          throw new Error('not now')
        }
        const written = anEvent({ type: 'task.updated', subject: event.id })
        await commit(aChange(event.userid, { events: [written] }))
      },
    })
    const { app, letters, ...rest } = worker([named('writer', fn)])
    const deliver = async (events: readonly unknown[]) => {
      const body = JSON.stringify(batchOf(events))
      const headers = { 'dapr-api-token': TOKEN }
      const answer = await app.request('/dapr/events/task-events', { method: 'POST', body, headers })
      const { statuses } = (await answer.json()) as { statuses: { entryId: string; status: string }[] }
      expect(statuses.map(({ entryId }) => entryId)).toEqual(events.map((_, nth) => `${nth}`))
      return statuses.map(({ status }) => status)
    }
    return { ...rest, letters, deliver }
  }

  const effects = async (userId: string) =>
    (await sql<{ subject: string }[]>`select subject from events where user_id = ${userId} order by seq`).map(
      ({ subject }) => subject,
    )
  const idsOf = (events: readonly CloudEvent[]) => events.map(({ id }) => id)

  function many(count: number): CloudEvent[] {
    const { userid } = completed()
    return Array.from({ length: count }, () => completed({ userid }))
  }

  it('has its effects in order, and no more when it comes twice', async () => {
    const { deliver } = writer(new Map())
    const [ann, bob] = [many(40), many(3)]
    const batch = [...ann.slice(0, 20), ...bob, ...ann.slice(20)]
    for (let time = 1; time <= 2; time += 1) {
      expect(new Set(await deliver(batch))).toEqual(new Set(['SUCCESS']))
      expect(await effects(ann[0]!.userid)).toEqual(idsOf(ann))
      expect(await effects(bob[0]!.userid)).toEqual(idsOf(bob))
    }
  })

  it('that comes twice at once has its effects once', async () => {
    const { deliver } = writer(new Map())
    const ann = many(20)
    const answers = await Promise.all([deliver(ann), deliver(ann)])
    expect(answers.flat()).toEqual(Array(40).fill('SUCCESS'))
    expect((await effects(ann[0]!.userid)).toSorted()).toEqual(idsOf(ann).toSorted())
  })

  it('does not let later events of a user overtake one that failed, and keeps nobody else back', async () => {
    const [ann, bob] = [many(6), many(2)]
    const { deliver } = writer(new Map([[ann[2]!.id, 1]]))
    expect(await deliver([...ann, ...bob])).toEqual([
      'SUCCESS',
      'SUCCESS',
      'RETRY',
      'RETRY',
      'RETRY',
      'RETRY',
      'SUCCESS',
      'SUCCESS',
    ])
    expect(await effects(ann[0]!.userid)).toEqual(idsOf(ann.slice(0, 2)))
    expect(await effects(bob[0]!.userid)).toEqual(idsOf(bob))
    expect(await deliver(ann.slice(2))).toEqual(Array(4).fill('SUCCESS'))
    expect(await effects(ann[0]!.userid)).toEqual(idsOf(ann))
  })

  it('moves what cannot be processed to the dead letters and goes on behind it', async () => {
    const ann = many(4)
    const { deliver, letters } = writer(new Map([[ann[1]!.id, new PermanentError('no such task')]]))
    const bad = { ...ann[2]!, data: { task: 'gone' } }
    expect(await deliver([ann[0], ann[1], bad, 'no event', { hello: 'world' }, ann[3]])).toEqual(
      Array(6).fill('SUCCESS'),
    )
    expect(await effects(ann[0]!.userid)).toEqual([ann[0]!.id, ann[3]!.id])
    expect(letters.map(({ dlqconsumer }) => dlqconsumer)).toEqual(['writer', 'parse', 'parse', 'parse'])
  })

  it('is brought again as far as its dead letters are not taken', async () => {
    const ann = many(2)
    const { deliver, letters, state } = writer(new Map([[ann[0]!.id, new PermanentError('no such task')]]))
    state.broker = 'away'
    expect(await deliver(ann)).toEqual(['RETRY', 'SUCCESS'])
    state.broker = 'takes'
    expect(await deliver([ann[0]])).toEqual(['SUCCESS'])
    expect(idsOf(letters)).toEqual([ann[0]!.id])
  })

  it('of events that nobody wants is done', async () => {
    const { deliver } = writer(new Map())
    const created = { ...completed(), type: 'task.created' }
    expect(await deliver([created, created])).toEqual(['SUCCESS', 'SUCCESS'])
    expect(await deliver([])).toEqual([])
  })
})

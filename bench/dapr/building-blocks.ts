import { randomUUID } from 'node:crypto'
import { figuresOf, type Figures } from '../measure.ts'
import { CRON_EVERY_MS, SUBSCRIBED, type Blocks } from './blocks.ts'
import { asFastAs, paced, until } from './load.ts'

const PACE = { perSecond: 100, seconds: 10 }
const BULK = 50
const JOBS = 200
const CRON_SECONDS = 15

/** What a sidecar does by itself, without Daybook: the floor of everything above it. */
export async function measureBlocks(name: string, blocks: Blocks, seconds: number): Promise<Figures[]> {
  const post = (path: string, body: unknown, type = 'application/json') =>
    blocks.call(path, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) })
  const event = () => ({
    specversion: '1.0',
    id: randomUUID(),
    type: 'bench',
    source: 'bench',
    traceid: '',
    time: now(),
    datacontenttype: 'application/json',
    data: { text: 'x'.repeat(500), sentAt: Date.now() },
  })
  const now = () => new Date(Date.now()).toISOString()
  const publish = (topic: string) =>
    post(
      `/v1.0/publish/pubsub/${topic}?metadata.partitionKey=${randomUUID()}`,
      event(),
      'application/cloudevents+json',
    )
  const bulk = () =>
    Array.from({ length: BULK }, () => ({
      entryId: randomUUID(),
      event: event(),
      contentType: 'application/cloudevents+json',
      metadata: { partitionKey: randomUUID() },
    }))
  const isDone = async (answer: Promise<Response>) => {
    const { status, body } = await answer
    await body?.cancel()
    return status === 200 || status === 204
  }

  return [
    await asFastAs(`${name}: publish`, {
      connections: 20,
      seconds,
      work: () => isDone(publish('bench-floor')),
    }),
    await asFastAs(`${name}: publish a batch of ${BULK}`, {
      connections: 4,
      seconds,
      work: () => isDone(post('/v1.0/publish/bulk/pubsub/bench-floor', bulk())),
    }),
    await deliveries(),
    await asFastAs(`${name}: state, save and get`, {
      connections: 10,
      seconds,
      work: async () => {
        const key = randomUUID()
        const isSaved = await isDone(
          post('/v1.0/state/statestore', [{ key, value: { text: 'x'.repeat(200) } }]),
        )
        return isSaved && (await isDone(blocks.call(`/v1.0/state/statestore/${key}`)))
      },
    }),
    await jobs(),
    await ticks(),
  ]

  async function deliveries(): Promise<Figures> {
    const wanted = PACE.perSecond * PACE.seconds
    await publish(SUBSCRIBED)
    await until(() => blocks.app.calls('/delivered').length > 0, 30)
    const before = blocks.app.calls('/delivered').length
    await paced(PACE.perSecond, PACE.seconds, () => isDone(publish(SUBSCRIBED)))
    await until(() => blocks.app.calls('/delivered').length >= before + wanted, 30)
    const received = blocks.app.calls('/delivered').slice(before)
    const latencies = received.map(
      ({ at, body }) => at.getTime() - (JSON.parse(body) as { data: { sentAt: number } }).data.sentAt,
    )
    const failed = Math.max(0, wanted - received.length)
    return figuresOf(`${name}: publish to delivery, ${PACE.perSecond}/s`, {
      connections: 1,
      seconds: PACE.seconds,
      latencies,
      failed,
    })
  }

  async function jobs(): Promise<Figures> {
    const due = new Map<string, number>()
    for (let index = 0; index < JOBS; index += 1) {
      const [job, at] = [`bench-${randomUUID()}`, Date.now() + 3000 + Math.random() * 5000]
      due.set(job, at)
      const dueTime = new Date(at).toISOString()
      const policy = { failurePolicy: { constant: { interval: '1s', maxRetries: 3 } } }
      await isDone(post(`/v1.0/jobs/${job}`, { dueTime, data: {}, overwrite: true, ...policy }))
    }
    const lateness = () => [...due].flatMap(([job, at]) => firstCall(job).map((call) => call - at))
    const firstCall = (job: string) =>
      blocks.app
        .calls(`/job/${job}`)
        .slice(0, 1)
        .map(({ at }) => at.getTime())
    await until(() => lateness().length === JOBS, 60)
    return figuresOf(`${name}: job lateness`, {
      connections: 1,
      seconds: 5,
      latencies: lateness(),
      failed: JOBS - lateness().length,
    })
  }

  /** How far the time between two ticks is from what the schedule says. */
  async function ticks(): Promise<Figures> {
    const from = blocks.app.calls('/tick').length
    const wanted = Math.floor((CRON_SECONDS * 1000) / CRON_EVERY_MS)
    await until(() => blocks.app.calls('/tick').length > from + wanted, CRON_SECONDS * 2)
    const times = blocks.app
      .calls('/tick')
      .slice(from)
      .map(({ at }) => at.getTime())
    const jitter = times.slice(1).map((at, index) => Math.abs(at - times[index]! - CRON_EVERY_MS))
    return figuresOf(`${name}: cron jitter`, {
      connections: 1,
      seconds: CRON_SECONDS,
      latencies: jitter,
      failed: Math.max(0, wanted - jitter.length),
    })
  }
}

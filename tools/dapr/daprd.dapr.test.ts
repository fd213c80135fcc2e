import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { freePorts } from '../ports.ts'
import { applyTopics } from '../kafka/topics.ts'
import { startKafka } from '../kafka/kafka.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { startDaprd, type Daprd, type DaprdOptions } from './daprd.ts'
import { startScheduler } from './scheduler.ts'

const pubsub = (brokers: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - { name: brokers, value: '${brokers}' }
    - { name: authType, value: none }
    - { name: initialOffset, value: oldest }
`

/** An app that subscribes to `orders` and keeps the paths and bodies of what daprd posts to it. */
async function startApp() {
  const received: { path: string; body: Record<string, unknown> }[] = []
  const answer = async (request: IncomingMessage) => {
    const path = request.url ?? ''
    if (path === '/dapr/subscribe') return [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }]
    if (request.method === 'POST') received.push({ path, body: JSON.parse(await text(request)) as never })
    return {}
  }
  const server = createServer((request, response) => {
    void answer(request).then((body) => response.end(JSON.stringify(body)))
  })
  const [port] = (await freePorts(1)) as [number]
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port, received }
}

async function start(options: DaprdOptions): Promise<Daprd> {
  const daprd = await startDaprd(options)
  onTestFinished(daprd.kill)
  return daprd
}

const post = async (url: string, body: unknown): Promise<number> =>
  (
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  ).status

it('carries events through Kafka and jobs through the scheduler, also after a crash of Kafka and daprd', async () => {
  const folder = temporaryFolder()
  const kafka = await startKafka({ dataDir: join(folder, 'kafka') })
  onTestFinished(kafka.kill)
  const scheduler = await startScheduler({ dataDir: join(folder, 'scheduler') })
  onTestFinished(scheduler.kill)
  await applyTopics(
    kafka,
    [{ name: 'orders', partitions: 1, retentionMs: 600_000, replication: 1 }],
    () => {},
  )
  writeFileSync(join(folder, 'pubsub.yaml'), pubsub(kafka.brokers))
  const app = await startApp()
  const options = {
    appId: 'orders',
    appPort: app.port,
    appHealthCheck: { path: '/healthz', probeIntervalSeconds: 1, threshold: 1 },
    resourcesPaths: [folder],
    schedulerAddress: scheduler.address,
    logFile: join(folder, 'daprd.log'),
    env: { DAPR_API_TOKEN: undefined, APP_API_TOKEN: undefined },
  }
  const first = await start(options)
  await first.whenHealthy()
  const bodies = (path: string) => app.received.filter((one) => one.path === path).map(({ body }) => body)
  const events = () => bodies('/orders').map(({ data }) => data)

  expect(await post(`${first.baseUrl}/v1.0/publish/pubsub/orders`, { n: 1 })).toBe(204)
  expect(await post(`${first.baseUrl}/v1.0/jobs/once`, { dueTime: '0s', data: { n: 1 } })).toBe(204)
  await expect.poll(events, { timeout: 15_000 }).toEqual([{ n: 1 }])
  await expect.poll(() => bodies('/job/once'), { timeout: 10_000 }).toEqual([{ n: 1 }])

  // A killed scheduler comes back too, but only after the 20 s of its lease.
  await Promise.all([first.kill(), kafka.kill(), scheduler.stop()])
  const kafkaAgain = await startKafka({ dataDir: join(folder, 'kafka'), ports: kafka.ports })
  onTestFinished(kafkaAgain.kill)
  const schedulerAgain = await startScheduler({ dataDir: join(folder, 'scheduler'), ports: scheduler.ports })
  onTestFinished(schedulerAgain.kill)
  const second = await start({ ...options, ports: first.ports })
  await second.whenHealthy()

  expect(second.baseUrl).toBe(first.baseUrl)
  expect(await post(`${second.baseUrl}/v1.0/publish/pubsub/orders`, { n: 2 })).toBe(204)
  expect(await post(`${second.baseUrl}/v1.0/jobs/again`, { dueTime: '0s', data: { n: 2 } })).toBe(204)
  await expect.poll(events, { timeout: 30_000 }).toContainEqual({ n: 2 })
  await expect.poll(() => bodies('/job/again'), { timeout: 10_000 }).toEqual([{ n: 2 }])
}, 120_000)

it('says in one line why daprd gives up', async () => {
  const folder = temporaryFolder()
  const logFile = join(folder, 'daprd.log')
  const missing = startDaprd({ appId: 'orders', resourcesPaths: [join(folder, 'none')], logFile })
  await expect(missing).rejects.toMatchObject({ code: 'program.ended' })
  await expect(missing).rejects.toThrow(
    /^daprd of orders did not start: [^\n]*no such file or directory[^\n]*$/,
  )
})

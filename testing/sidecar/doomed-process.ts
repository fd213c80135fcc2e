import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect, type ConnectionTarget } from '../../shared/db/connect.ts'
import { silentLogger } from '../../shared/observability/logger.ts'
import { parseResources } from '../../dapr/embedded/resources.ts'
import { createSidecar } from '../../dapr/embedded/sidecar.ts'

export interface DoomedProcess {
  /** Resolves when deliveries are stuck half way. */
  readonly isHolding: Promise<void>
  /** The numbers of the messages whose effect happened before the kill. */
  finished(): number[]
  /** SIGKILL. */
  kill(): Promise<void>
}

interface Plan {
  messages: number
  /** The app stops answering after so many deliveries. */
  holdAfter: number
}

/** A process of its own that publishes messages to the topic `jobs`, takes some of them and then hangs. */
export function startDoomedProcess(target: ConnectionTarget, plan: Plan): DoomedProcess {
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [script, JSON.stringify({ target, plan })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const isHolding = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('holding\n')) resolve()
    })
    child.on('exit', () => reject(new Error(`the process ended by itself: ${output}`)))
  })
  return {
    isHolding,
    finished: () => [...output.matchAll(/^done (\d+)$/gm)].map(([, n]) => Number(n)),
    async kill() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function run(target: ConnectionTarget, { messages, holdAfter }: Plan): Promise<void> {
  let taken = 0
  const sidecar = createSidecar({
    appId: 'orders',
    sql: connect(target, { max: 4, applicationName: 'doomed' }),
    resources: parseResources([
      {
        file: 'pubsub.yaml',
        text: 'kind: Component\nmetadata: { name: pubsub }\nspec: { type: pubsub.kafka, version: v1 }',
      },
    ]),
    async app(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/dapr/subscribe') {
        return Response.json([{ pubsubname: 'pubsub', topic: 'jobs', route: '/jobs' }])
      }
      if (pathname !== '/jobs') return new Response(null, { status: 404 })
      const { data } = (await request.json()) as { data: { n: number } }
      taken += 1
      if (taken === holdAfter) process.stdout.write('holding\n')
      if (taken >= holdAfter) return await new Promise<Response>(() => {})
      process.stdout.write(`done ${data.n}\n`)
      return new Response(null, { status: 200 })
    },
    clock: { now: () => new Date(Date.now()) },
    fetch: async () => await Promise.reject(new Error('no network')),
    env: {},
    dataDir: '.',
    logger: silentLogger,
  })
  await sidecar.start()
  await Promise.all(
    Array.from({ length: messages }, async (_, n) => {
      const url = `http://sidecar/v1.0/publish/pubsub/jobs?metadata.partitionKey=k${n % 20}`
      const headers = { 'content-type': 'application/json' }
      await sidecar.fetch(new Request(url, { method: 'POST', headers, body: JSON.stringify({ n }) }))
    }),
  )
}

const argument = process.argv[2]
if (process.argv[1] === fileURLToPath(import.meta.url) && argument !== undefined) {
  const { target, plan } = JSON.parse(argument) as { target: ConnectionTarget; plan: Plan }
  await run(target, plan)
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { BROKERS, type BrokerName } from '../../profiles/self-hosted/broker.ts'
import { supervise, type SupervisedPart } from '../../profiles/self-hosted/part.ts'
import { CONFIGURATION, writeResources } from '../../profiles/self-hosted/resources.ts'
import type { SelfHosted } from '../../profiles/self-hosted/start-self-hosted.ts'
import { HEALTH_CHECK, startSidecar } from '../../profiles/self-hosted/unit.ts'
import { EDGE } from '../../shared/kit/units.ts'
import { freePortsFor } from '../../tools/ports.ts'
import { privateFolder } from '../../shared/private-folder.ts'

export const OBSERVER = 'chaos-observer'
export const OBSERVED = [
  'task-events',
  'task-updates',
  'reminders',
  'notification-events',
  'audit-events',
] as const
const DEAD_LETTERS = 'dlq-events'
/** The unit whose settings its sidecar has. */
const CONSUMER = EDGE

/** A delivery, in the order in which they came. */
export interface Delivery {
  id: string
  userId: string
  sequence: number
}

export interface Observer {
  /** Everything delivered so far, repeats included. */
  deliveries(topic: string): readonly Delivery[]
  /** Messages that some unit gave up. */
  readonly deadLetters: readonly string[]
  /** Its sidecar, which may be killed like any other. */
  readonly sidecar: SupervisedPart
  stop(): Promise<void>
}

/**
 * A consumer of our own beside those of Daybook, with a sidecar and a consumer group of its own: what it is delivered is
 * what any consumer is. The app lives in this process, so that a kill never takes its memory.
 */
export async function startObserver(
  daybook: SelfHosted,
  broker: BrokerName,
  say: (line: string) => void,
): Promise<Observer> {
  const seen = new Map<string, Delivery[]>(OBSERVED.map((topic) => [topic, []]))
  const deadLetters: string[] = []
  const server = createServer((request, response) => void serve(request, response))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await answer(request)
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }

  async function answer(request: IncomingMessage): Promise<unknown> {
    const url = request.url ?? ''
    if (url === HEALTH_CHECK.path || url === '/dapr/config') return {}
    if (url === '/dapr/subscribe') return subscriptions()
    const body = await text(request)
    if (url === `/${DEAD_LETTERS}`) deadLetters.push(body)
    else {
      const list = seen.get(url.slice(1))
      if (!list) return null
      const event = JSON.parse(body) as { id: string; userid: string; sequence: string }
      list.push({ id: event.id, userId: event.userid, sequence: Number(event.sequence) })
    }
    return { status: 'SUCCESS' }
  }

  const ports = await freePortsFor('app', 'http', 'grpc', 'internalGrpc', 'metrics')
  await new Promise<void>((resolve) => server.listen(ports.app, '127.0.0.1', resolve))
  const resourcesDir = join(daybook.dataDir, 'observer-resources')
  const { variant } = BROKERS[broker]
  writeResources(resourcesDir, variant === undefined ? [] : [variant])
  admit(resourcesDir)
  const configurationDir = join(daybook.dataDir, 'observer-configuration')
  privateFolder(configurationDir)
  const ofConsumer = readFileSync(join(CONFIGURATION, `${CONSUMER}.yaml`), 'utf8')
  writeFileSync(join(configurationDir, `${OBSERVER}.yaml`), ofConsumer)
  const unitContext = { ...daybook.unitContext, resourcesDir, configurationDir }
  const start = () => startSidecar({ id: OBSERVER, functions: [] }, ports, unitContext)
  const sidecar = await supervise(`${OBSERVER}-daprd`, start, say)
  return {
    deliveries: (topic) => seen.get(topic) ?? [],
    deadLetters,
    sidecar,
    async stop() {
      await sidecar.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const subscriptions = () =>
  [...OBSERVED, DEAD_LETTERS].map((topic) => ({
    pubsubname: 'pubsub',
    topic,
    route: `/${topic}`,
    ...(topic !== DEAD_LETTERS && { deadLetterTopic: DEAD_LETTERS }),
  }))

/** The component of the product, in scope of the observer too. */
function admit(folder: string): void {
  const file = join(
    folder,
    readdirSync(folder).find((name) => name.startsWith('pubsub'))!,
  )
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^scopes:\n/m, `scopes:\n  - ${OBSERVER}\n`))
}

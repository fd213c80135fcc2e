import { mkdirSync, rmSync } from 'node:fs'
import { prepareKafka } from '../kafka/kafka.ts'
import { startDaemon, stopDaemon } from './daemon.ts'
import { NETWORK, place } from './places.ts'
import { listens } from './postgres.ts'

/** On the bridge, so that pods reach it. */
const KAFKA = { host: NETWORK.node, port: 19_092 } as const
export const BROKERS = `${KAFKA.host}:${KAFKA.port}`

export async function startBroker(): Promise<void> {
  const folder = place('kafka')
  mkdirSync(folder, { recursive: true })
  await startDaemon({
    name: 'kafka',
    command: 'java',
    args: await prepareKafka(folder, {
      host: KAFKA.host,
      ports: { port: KAFKA.port, controllerPort: KAFKA.port + 1 },
    }),
    isReady: () => listens(KAFKA),
  })
}

/** As if it had never run: no topic, no message, no group. */
export async function emptyBroker(): Promise<void> {
  await stopDaemon('kafka')
  rmSync(place('kafka'), { recursive: true, force: true })
  await startBroker()
}

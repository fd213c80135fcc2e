import { parseArgs } from 'node:util'
import { readConfig } from '../shared/config.ts'
import { exitOnSignal, failToStart, onSignal } from '../shared/kit/process.ts'
import { BROKERS, type BrokerName } from './self-hosted/broker.ts'
import { startSelfHosted } from './self-hosted/start-self-hosted.ts'

// `npm run start:dapr [-- --broker kafka|redis]`: every unit a process of its own beside a real daprd.
const started = performance.now()
const say = (line: string) =>
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}\n`)

/** Before everything runs, the first signal ends what has been started; the second ends this process at once. */
const starting = new AbortController()

try {
  const broker = readBroker()
  const hasStarted = onSignal(() => {
    say('stopping before everything has started')
    starting.abort(new Error('it was asked to stop before it was ready.'))
  })
  const daybook = await startSelfHosted({ config: readConfig(), broker, say, signal: starting.signal })
  hasStarted()
  exitOnSignal(async () => {
    say('stopping')
    await daybook.stop()
    say('stopped')
  })
  process.stdout.write(`Daybook is ready at ${daybook.url}\n`)
} catch (error) {
  failToStart(error)
}

function readBroker(): BrokerName {
  const { values } = parseArgs({ options: { broker: { type: 'string', default: 'kafka' } } })
  const { broker } = values
  if (broker in BROKERS) return broker as BrokerName
  throw new Error(`--broker takes ${Object.keys(BROKERS).join(' or ')}, not ${broker}.`)
}

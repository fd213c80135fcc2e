import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readConfig, type Config } from '../../shared/config.ts'
import { readArguments } from '../../shared/arguments.ts'
import { exitOnSignal, failToStart, onSignal } from '../../shared/kit/process.ts'
import { whereThingsAre } from '../where-things-are.ts'
import { BROKERS, type BrokerName } from './broker.ts'
import { startSelfHosted } from './start-self-hosted.ts'

// `npm run start:dapr [-- --broker kafka|redis --variant NAME …]`: every unit a process of its own beside a real daprd.
const started = performance.now()
const say = (line: string) =>
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}\n`)

const { values } = readArguments('npm run start:dapr [-- --broker kafka|redis --variant NAME …]', {
  options: {
    broker: { type: 'string', default: 'kafka' },
    variant: { type: 'string', multiple: true, default: [] },
  },
})

/** Before everything runs, the first signal ends what has been started; the second ends this process at once. */
const starting = new AbortController()

try {
  const config = readConfig()
  const { broker, variants } = readChoice(config)
  const hasStarted = onSignal(() => {
    say('stopping before everything has started')
    starting.abort(new Error('stopped before it was ready.'))
  })
  const daybook = await startSelfHosted({ config, broker, variants, say, signal: starting.signal })
  hasStarted()
  exitOnSignal(async () => {
    say('stopping')
    await daybook.stop()
    say('stopped')
  })
  process.stdout.write(whereThingsAre(config, daybook))
} catch (error) {
  failToStart(error)
}

interface Choice {
  broker: BrokerName
  /** Files of dapr/variants/, the broker's own not among them. */
  variants: string[]
}

function readChoice({ environment }: Config): Choice {
  const { broker, variant: names } = values
  if (!isBroker(broker)) {
    throw new Error(`--broker must be ${Object.keys(BROKERS).join(' or ')}, not ${broker}.`)
  }
  const known = readdirSync(fileURLToPath(new URL('../../dapr/variants/', import.meta.url)))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .toSorted()
  const chosen = [...new Set(names)]
  for (const [index, name] of chosen.entries()) {
    if (!known.includes(name)) throw new Error(`--variant ${name} is none of ${known.join(', ')}.`)
    const rival = chosen.slice(0, index).find((earlier) => componentOf(earlier) === componentOf(name))
    if (rival) throw new Error(`--variant ${rival} and ${name} are both for ${componentOf(name)}; name one.`)
    if (componentOf(name) === 'pubsub') checkBrokerVariant(name, broker, environment)
  }
  return { broker, variants: chosen.map((name) => `${name}.yaml`) }
}

function isBroker(name: string): name is BrokerName {
  return Object.hasOwn(BROKERS, name)
}

/** `mail-resend` takes the place of `mail`. */
function componentOf(variant: string): string {
  return variant.split('-')[0]!
}

/** What is started here asks for no login, so other ways to a broker are for brokers of the user's own. */
function checkBrokerVariant(name: string, broker: BrokerName, environment: Config['environment']): void {
  if (name === 'pubsub-redis') {
    throw new Error('--variant pubsub-redis comes with --broker redis; write that alone.')
  }
  const { variable } = BROKERS.kafka
  if (broker !== 'kafka') throw new Error(`--variant ${name} is for Kafka; leave out --broker ${broker}.`)
  if (environment[variable]) return
  throw new Error(`--variant ${name} is for a Kafka of your own; set ${variable} to its host:port.`)
}

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArguments } from '../shared/arguments.ts'
import { failToStart } from '../shared/kit/process.ts'
import { runChaos } from '../testing/chaos/run-chaos.ts'
import { BROKERS, type BrokerName } from '../profiles/self-hosted/broker.ts'

// `npm run test:chaos`: Daybook on real Dapr, killed part by part under load, and judged. See docs/chaos.md.
const USAGE = 'npm run test:chaos [-- --broker kafka|redis --short | --minutes N --seed N --keep]'
const { values: options } = readArguments(USAGE, {
  options: {
    broker: { type: 'string', default: 'kafka' },
    short: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
  },
})

const startedAt = performance.now()
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`)

const stopping = new AbortController()
const stop = () => {
  if (stopping.signal.aborted) process.exit(1)
  say('stopping')
  stopping.abort(new Error('it was asked to stop.'))
}

try {
  const broker = readBroker(options.broker)
  const seed = readNumber('--seed', options.seed)
  const minutes = readNumber('--minutes', options.minutes)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-chaos-'))
  chmodSync(dataDir, 0o755)
  const length = options.short ? '--short' : `--minutes ${minutes}`
  const replay = `npm run test:chaos -- ${length} --broker ${broker} --seed ${seed}`
  say(replay)
  const plan = options.short
    ? { disruptMs: 60_000, outageMs: 10_000, pauseMs: 5000, isApart: false, isPatient: false }
    : {
        disruptMs: minutes * 60_000,
        outageMs: 60_000,
        pauseMs: 12_000,
        isApart: broker === 'kafka',
        isPatient: true,
      }
  const run = { dataDir, broker, seed, ...plan, say, signal: stopping.signal }
  const violations = await runChaos(run).catch((error: unknown) => {
    console.log(`The logs are kept in ${join(dataDir, 'dapr', 'logs')}`)
    throw error
  })
  if (violations.length > 0) {
    say(`${violations.length} promises are broken:`)
    for (const { rule, detail } of violations.slice(0, 20)) console.log(`  ${rule}: ${detail.slice(0, 600)}`)
    console.log(`The logs are kept in ${join(dataDir, 'dapr', 'logs')}; again with: ${replay}`)
    process.exitCode = 1
  } else {
    say('every promise was kept, and the oracle noticed every flaw that was made by hand')
    if (options.keep) console.log(`The data is kept in ${dataDir}`)
    else rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
} catch (error) {
  failToStart(error)
}

function readBroker(name: string): BrokerName {
  if (name in BROKERS) return name as BrokerName
  throw new Error(`--broker must be ${Object.keys(BROKERS).join(' or ')}, not ${name}.`)
}

function readNumber(option: string, text: string): number {
  const number = Number(text)
  if (number >= 0) return number
  throw new Error(`${option} takes a number, not ${text}.`)
}

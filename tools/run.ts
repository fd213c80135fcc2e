import { parseArgs } from 'node:util'
import { startScheduler } from './dapr/scheduler.ts'
import { failTool } from './fail-tool.ts'
import { startKafka } from './kafka/kafka.ts'
import type { Program } from './program.ts'
import { ProgramError } from './program-error.ts'
import { describeEnd, worstLine } from './program-log.ts'
import { startRedis } from './redis/redis.ts'
import { stopService } from './service.ts'

// `npm run kafka|redis|scheduler -- [--data-dir DIR] [--port N] [--stop]`: one part of the real profile by itself.

const ECHO_MS = 500

interface Running {
  program: Program
  address: string
}

interface Service {
  name: string
  port: number
  start(dataDir: string, port: number): Promise<Running>
}

const SERVICES: Record<string, Service> = {
  kafka: {
    name: 'Kafka',
    port: 9092,
    start: async (dataDir, port) => {
      const program = await startKafka({ dataDir, ports: { port, controllerPort: port + 1 } })
      return { program, address: program.brokers }
    },
  },
  redis: {
    name: 'Redis',
    port: 6379,
    start: async (dataDir, port) => {
      const program = await startRedis({ dataDir, port })
      return { program, address: program.host }
    },
  },
  scheduler: {
    name: 'The scheduler',
    port: 50_006,
    start: async (dataDir, port) => {
      const ports = { api: port, health: port + 1, etcdClient: port + 2, etcdPeer: port + 3 }
      const program = await startScheduler({ dataDir, ports })
      return { program, address: program.address }
    },
  },
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'data-dir': { type: 'string' }, port: { type: 'string' }, stop: { type: 'boolean' } },
  })
  const key = positionals[0] ?? ''
  const service = SERVICES[key]
  if (!service) throw new ProgramError('usage', `Name one of ${Object.keys(SERVICES).join(', ')}.`)
  const dataDir = values['data-dir'] ?? `.daybook/${key}`
  if (values.stop === true) {
    const pid = await stopService(dataDir)
    say(
      pid === undefined
        ? `${service.name} does not run on ${dataDir}.`
        : `${service.name} is stopped (pid ${pid}).`,
    )
    return
  }
  await serve(service, dataDir, parsePort(values.port) ?? service.port)
}

/**
 * Runs until a signal or the end of the program. A signal before it is ready ends both at once, and so does one that
 * comes later than the echo of the first: Ctrl-C reaches us from the terminal and once more from npm.
 */
async function serve(service: Service, dataDir: string, port: number): Promise<void> {
  let stopping: number | undefined
  let program: Program | undefined
  const onSignal = () => {
    if (!program || (stopping !== undefined && performance.now() - stopping > ECHO_MS)) process.exit(1)
    stopping ??= performance.now()
    void program.stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const running = await service.start(dataDir, port)
  program = running.program
  say(`${service.name} is ready on ${running.address}, data in ${dataDir} (pid ${program.pid}).`)
  const end = await program.exited
  const wasAsked = stopping !== undefined || end.code === 0 || end.code === 143 || end.signal === 'SIGTERM'
  if (!wasAsked) {
    throw new ProgramError(
      'program.ended',
      `${service.name}: ${worstLine(program.log()) ?? describeEnd(end)}`,
    )
  }
  say(`${service.name} is stopped.`)
}

function parsePort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_533) return port
  throw new ProgramError('usage', `--port ${text} is no port.`)
}

const say = (line: string) => process.stdout.write(`${line}\n`)

try {
  await run()
} catch (error) {
  failTool(error)
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { ROOT } from '../../testing/worlds/source-files.ts'
import { findProgram } from '../../tools/find-program.ts'
import { inheritedEnvironment } from '../../shared/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'daybook-start-dapr-'))
chmodSync(folder, 0o755)
const children: ChildProcess[] = []
const servers: Server[] = []

interface Run {
  child: ChildProcess
  output(): string
  exitCode: Promise<number | null>
}

function start(env: Record<string, string> = {}, ...args: string[]): Run {
  const child = spawn(process.execPath, ['profiles/self-hosted/start-dapr.ts', ...args], {
    cwd: ROOT,
    env: { ...inheritedEnvironment(), PORT: '0', DAYBOOK_DATA_DIR: folder, LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const exitCode = once(child, 'close').then(([code]) => code as number | null)
  return { child, output: () => text, exitCode }
}

/** Where it serves; fails with all that it said when it ends instead, or takes more than a minute. */
async function ready(run: Run): Promise<string> {
  const url = () => /^Daybook is ready at (\S+)$/m.exec(run.output())?.[1]
  const ended = run.exitCode.then(() => true)
  const limit = AbortSignal.timeout(60_000)
  while (url() === undefined && !limit.aborted) if (await Promise.race([ended, delay(50, false)])) break
  return url() ?? expect.fail(`it is not ready:\n${run.output()}`)
}

async function listen(onConnection: Parameters<typeof createServer>[1] = () => {}): Promise<number> {
  const server = createServer(onConnection).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Command lines of living processes that name the data folder; PostgreSQL, daprd, Kafka, Redis and the scheduler all do. */
function leftovers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return [] // gone meanwhile
      }
    })
    .filter((line) => line.includes(folder))
}

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  for (const server of servers.splice(0)) server.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm run start:dapr ends with one line that says what to do, and leaves nothing running', () => {
  async function refusal(env: Record<string, string>, ...args: string[]): Promise<string> {
    const run = start(env, ...args)
    expect(await run.exitCode).toBe(1)
    expect(leftovers()).toEqual([])
    const lines = run
      .output()
      .split('\n')
      .filter((line) => line.startsWith('Daybook: '))
    expect(lines).toHaveLength(1)
    expect(run.output()).not.toMatch(/^ +at /m)
    return lines[0]!
  }

  it('when the port is in use', async () => {
    const port = await listen()
    expect(await refusal({ PORT: String(port) })).toBe(
      `Daybook: port ${port} is in use; stop what uses it or set PORT to another.`,
    )
  })

  it('when a variant is unknown, has a rival or does not fit the broker', async () => {
    expect(await refusal({}, '--variant', 'mail-resned')).toMatch(
      /^Daybook: --variant mail-resned is none of .*mail-resend.*, secretstore-file/,
    )
    expect(await refusal({}, '--variant', 'secretstore-file', '--variant', 'secretstore-kubernetes')).toBe(
      'Daybook: --variant secretstore-file and secretstore-kubernetes are both for secretstore; name one.',
    )
    expect(await refusal({}, '--variant', 'pubsub-kafka-tls')).toBe(
      'Daybook: --variant pubsub-kafka-tls is for a Kafka of your own; set DAYBOOK_KAFKA_BROKERS to its host:port.',
    )
  })

  it('when the broker it was told to use cannot be reached', async () => {
    const line = await refusal({ DAYBOOK_KAFKA_BROKERS: '127.0.0.1:1' })
    expect(line).toContain(
      'Kafka cannot be reached at 127.0.0.1:1; start it, or correct DAYBOOK_KAFKA_BROKERS',
    )
    expect(await refusal({ DAYBOOK_REDIS_HOST: 'nonsense' }, '--broker', 'redis')).toContain(
      'Redis cannot be reached',
    )
  })

  it('when what answers at the broker’s address is no broker', async () => {
    const port = await listen((socket) => socket.on('error', () => {}).end('hello\r\n'))
    expect(await refusal({ DAYBOOK_REDIS_HOST: `127.0.0.1:${port}` }, '--broker', 'redis')).toMatch(
      /daprd of \S+ did not/,
    )
  })

  it('when the database refuses the password', async () => {
    // What PostgreSQL answers to a wrong password (protocol 3.0, ErrorResponse).
    const fields = 'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "daybook"\0\0'
    const answer = Buffer.alloc(5 + fields.length)
    answer.write('E')
    answer.writeInt32BE(4 + fields.length, 1)
    answer.write(fields, 5)
    const port = await listen((socket) => socket.once('data', () => socket.end(answer)).on('error', () => {}))
    const line = await refusal(
      { DATABASE_URL: `postgres://daybook:wrong@127.0.0.1:${port}/daybook` },
      '--broker',
      'redis',
    )
    expect(line).toBe('Daybook: the database refuses the user or password in DATABASE_URL.')
  })

  it('when the database cannot be reached', async () => {
    const line = await refusal(
      { DATABASE_URL: 'postgres://daybook@127.0.0.1:1/daybook' },
      '--broker',
      'redis',
    )
    expect(line).toContain('the database cannot be reached (ECONNREFUSED); check DATABASE_URL')
  })

  it('when a program is missing', async () => {
    // All that a shell script of PostgreSQL's needs, and neither java nor redis-server.
    const programs = mkdtempSync(join(tmpdir(), 'daybook-programs-'))
    for (const name of ['sh', 'setpriv', 'test']) symlinkSync(findProgram(name)!, join(programs, name))
    const kafka = await refusal({ PATH: programs })
    expect(kafka).toContain('Kafka cannot be started: it needs Java 17 or newer; install it')
    const redis = await refusal({ PATH: programs }, '--broker', 'redis')
    expect(redis).toContain('Redis cannot be started: install redis-server')
    rmSync(programs, { recursive: true })
  })

  it('when it is asked for a broker there is not', async () => {
    expect(await refusal({}, '--broker', 'rabbit')).toBe(
      'Daybook: --broker must be kafka or redis, not rabbit.',
    )
  })

  it('when it is interrupted before everything has started', async () => {
    const run = start({}, '--broker', 'redis')
    await expect.poll(run.output, { timeout: 30_000 }).toContain('scheduler is ready')
    run.child.kill('SIGINT')
    expect(await run.exitCode).toBe(1)
    expect(leftovers()).toEqual([])
  })
})

describe('npm run start:dapr', () => {
  const register = async (url: string, email: string) =>
    await fetch(`${url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password: 'correct horse battery' }),
    })

  it('refuses a second instance on the same data, and leaves the first alone', async () => {
    const first = start({}, '--broker', 'redis')
    const url = await ready(first)
    const second = start({}, '--broker', 'redis')
    expect(await second.exitCode).toBe(1)
    expect(second.output()).toContain(`Another Daybook is running on the data in ${join(folder, 'dapr')}`)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  it('ends everything on SIGTERM and finds its data at the next start', async () => {
    const first = start({}, '--broker', 'redis')
    expect((await register(await ready(first), 'stays@example.com')).status).toBe(201)
    first.child.kill('SIGTERM')
    expect(await first.exitCode).toBe(0)
    expect(leftovers()).toEqual([])
    const second = start({}, '--broker', 'redis')
    expect((await register(await ready(second), 'stays@example.com')).status).toBe(409)
  })

  it('cleans up at the next start what a SIGKILL of it has left', async () => {
    const first = start({}, '--broker', 'redis')
    expect((await register(await ready(first), 'killed@example.com')).status).toBe(201)
    first.child.kill('SIGKILL')
    await first.exitCode
    const second = start({}, '--broker', 'redis')
    expect((await register(await ready(second), 'killed@example.com')).status).toBe(409)
    second.child.kill('SIGTERM')
    expect(await second.exitCode).toBe(0)
    expect(leftovers()).toEqual([])
  })
})

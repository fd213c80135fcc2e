import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startProgram, type Program, type ProgramSpec } from './program.ts'

const SERVES = `process.stdout.write('serving\\n'); setInterval(() => {}, 1000)`
const IGNORES_SIGTERM = `process.on('SIGTERM', () => {}); ${SERVES}`

let folder: string
const started: Program[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daybook-program-'))
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((program) => program.kill()))
  rmSync(folder, { recursive: true })
})

const spec = (script: string, more: Partial<ProgramSpec> = {}): ProgramSpec => ({
  name: 'Example',
  command: process.execPath,
  args: ['-e', script],
  whenMissing: 'install it.',
  logFile: join(folder, 'example.log'),
  ports: [],
  isReady: async ({ log }) => await Promise.resolve(log().includes('serving')),
  ...more,
})

const start = async (script: string, more?: Partial<ProgramSpec>): Promise<Program> => {
  const program = await startProgram(spec(script, more))
  started.push(program)
  return program
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

describe('a program', () => {
  it('is handed out once it is ready, with what it wrote in its log', async () => {
    const program = await start(`setTimeout(() => { ${SERVES} }, 100)`)
    expect(isAlive(program.pid)).toBe(true)
    expect(program.log()).toBe('serving\n')
    expect(readFileSync(join(folder, 'example.log'), 'utf8')).toBe('serving\n')
  })

  it('sees of our environment what any program needs, and what it is given', async () => {
    process.env['SECRET_OF_OURS'] = 'not for it'
    const print = `process.stdout.write(JSON.stringify(process.env) + '\\n')`
    const program = await start(`${print}; ${SERVES}`, { env: { FOR_IT: 'a', NOT_SET: undefined } })
    delete process.env['SECRET_OF_OURS']
    const seen = JSON.parse(program.log().split('\n')[0]!) as Record<string, string>
    expect(seen).toMatchObject({ PATH: process.env['PATH'], FOR_IT: 'a' })
    expect(Object.keys(seen)).not.toContain('SECRET_OF_OURS')
    expect(Object.keys(seen)).not.toContain('NOT_SET')
  })

  it('writes no log through a link, and its log is for its owner alone', async () => {
    await start(SERVES)
    expect(statSync(join(folder, 'example.log')).mode & 0o077).toBe(0)
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'as it was')
    symlinkSync(victim, join(folder, 'link.log'))
    await expect(startProgram(spec(SERVES, { logFile: join(folder, 'link.log') }))).rejects.toThrow('ELOOP')
    expect(readFileSync(victim, 'utf8')).toBe('as it was')
  })

  it('ends on stop, and a second stop does no harm', async () => {
    const program = await start(SERVES)
    await Promise.all([program.stop(), program.stop()])
    await program.stop()
    expect(await program.exited).toEqual({ code: null, signal: 'SIGTERM' })
    expect(isAlive(program.pid)).toBe(false)
  })

  it('is killed when it does not end in its time of grace', async () => {
    const program = await start(IGNORES_SIGTERM, { graceMs: 100 })
    await program.stop()
    expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('that is killed can be started again, and its log holds only the new start', async () => {
    const first = await start(SERVES)
    await first.kill()
    const second = await start(SERVES)
    expect(second.log()).toBe('serving\n')
    expect(readFileSync(join(folder, 'example.log'), 'utf8')).toBe('serving\nserving\n')
  })

  it('dies with the process that started it, even when that one is killed', async () => {
    const parent = spawn(process.execPath, ['--input-type=module', '-e', parentScript()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [chunk] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(chunk.toString())
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false)
  })
})

/** Starts an example that ignores SIGTERM and tells its pid. */
const parentScript = (): string => `
  import { startProgram } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'program.ts')).href)}
  const program = await startProgram({
    name: 'Example', command: process.execPath, args: ['-e', ${JSON.stringify(IGNORES_SIGTERM)}],
    whenMissing: '', logFile: ${JSON.stringify(join(folder, 'parent.log'))}, ports: [],
    isReady: async ({ log }) => log().includes('serving'),
  })
  process.stdout.write(String(program.pid))`

describe('a program that does not start', () => {
  it('says what to install when it is missing', async () => {
    const missing = startProgram(spec('', { command: 'no-such-program-here' }))
    await expect(missing).rejects.toMatchObject({
      code: 'program.missing',
      message: 'Example cannot be started: install it.',
    })
  })

  it('says which port is in use, and is not started', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    let hasSpawned = false
    const onSpawn = () => {
      hasSpawned = true
    }
    await expect(startProgram(spec(SERVES, { ports: [port], onSpawn }))).rejects.toMatchObject({
      code: 'port.in_use',
      message: `Example needs port ${port}, which is in use; stop what listens there or choose another port.`,
    })
    expect(hasSpawned).toBe(false)
    server.close()
  })

  it('tells its last error in one line when it ends before it is ready', async () => {
    const script = `console.error('time="x" level=fatal msg="no \\\\"scheduler\\\\" here" scope=dapr'); console.log('bye'); process.exitCode = 3`
    await expect(startProgram(spec(script))).rejects.toMatchObject({
      code: 'program.ended',
      message: `Example did not start: no "scheduler" here (log: ${join(folder, 'example.log')})`,
    })
  })

  it('is left running by nobody when it does not get ready', async () => {
    let pid = 0
    const onSpawn = (started: number) => {
      pid = started
    }
    const never = spec(SERVES, {
      onSpawn,
      readyLimitMs: 200,
      isReady: async () => await Promise.resolve(false),
    })
    await expect(startProgram(never)).rejects.toMatchObject({ code: 'program.not_ready' })
    expect(isAlive(pid)).toBe(false)
  })
})

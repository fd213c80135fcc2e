import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findTakenPort, freePorts } from './ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/** `npm run redis -- …` without npm; `ended` resolves with its exit code, `output` grows. */
function run(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const command = { child, output: '', ended: once(child, 'close').then(([code]) => code as number | null) }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      command.output += chunk.toString()
    })
  }
  onTestFinished(() => void child.kill('SIGKILL'))
  return command
}

async function untilReady(command: { output: string; child: ChildProcess }): Promise<void> {
  await expect.poll(() => command.output, { timeout: 15_000 }).toContain('is ready on')
}

it('prints one line when ready and ends with all it started on SIGTERM', async () => {
  const dataDir = temporaryFolder()
  const [port] = (await freePorts(1)) as [number]
  const redis = run('redis', '--data-dir', dataDir, '--port', String(port))
  await untilReady(redis)
  redis.child.kill('SIGTERM')
  expect(await redis.ended).toBe(0)
  expect(redis.output).toMatch(
    new RegExp(
      `^Redis is ready on 127\\.0\\.0\\.1:${port}, data in ${dataDir} \\(pid \\d+\\)\\.\nRedis is stopped\\.\n$`,
    ),
  )
  expect(await findTakenPort([port])).toBeUndefined()
  expect(existsSync(join(dataDir, 'server.pid'))).toBe(false)
})

it('is ended by --stop on the same folder', async () => {
  const dataDir = temporaryFolder()
  const [port] = (await freePorts(1)) as [number]
  const redis = run('redis', '--data-dir', dataDir, '--port', String(port))
  await untilReady(redis)
  const stop = run('redis', '--data-dir', dataDir, '--stop')
  expect(await stop.ended).toBe(0)
  expect(stop.output).toMatch(/^Redis is stopped \(pid \d+\)\.\n$/)
  expect(await redis.ended).toBe(0)
  expect(await findTakenPort([port])).toBeUndefined()

  const again = run('redis', '--data-dir', dataDir, '--stop')
  expect(await again.ended).toBe(0)
  expect(again.output).toBe(`Redis does not run on ${dataDir}.\n`)
})

it.each(['kafka', 'redis', 'scheduler'])(
  'says in one line that the port of %s is in use',
  async (service) => {
    const server = createServer()
    const [port] = (await freePorts(1)) as [number]
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const command = run(service, '--data-dir', temporaryFolder(), '--port', String(port))
    expect(await command.ended).toBe(1)
    expect(command.output).toMatch(new RegExp(`^[^\n]* needs port ${port}, which is in use; [^\n]*\n$`))
  },
)

it.each([
  [['postgres'], 'Name one of kafka, redis, scheduler.\n'],
  [['redis', '--port', 'x'], '--port x is no port.\n'],
])('refuses %j in one line', async (args, line) => {
  const command = run(...args)
  expect(await command.ended).toBe(1)
  expect(command.output).toBe(line)
})

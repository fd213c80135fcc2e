import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { startRedis, type Redis, type RedisOptions } from './redis.ts'

async function start(options: RedisOptions): Promise<Redis> {
  const redis = await startRedis(options)
  onTestFinished(redis.kill)
  return redis
}

async function say(port: number, command: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(`${command}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString()
}

it('keeps what it acknowledged when it is killed and started again on the same folder and port', async () => {
  const dataDir = temporaryFolder()
  const first = await start({ dataDir })
  expect(await say(first.port, 'SET greeting hello')).toBe('+OK\r\n')
  await first.kill()

  const second = await start({ dataDir, port: first.port })
  expect(second.host).toBe(`127.0.0.1:${first.port}`)
  expect(await say(second.port, 'GET greeting')).toBe('$5\r\nhello\r\n')
})

it('refuses a folder in which it already runs', async () => {
  const dataDir = temporaryFolder()
  const { pid } = await start({ dataDir })
  await expect(startRedis({ dataDir })).rejects.toMatchObject({
    code: 'program.already_runs',
    message: `Redis already runs on ${dataDir} (pid ${pid}); stop it first.`,
  })
})

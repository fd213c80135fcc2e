import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../shared/db/connect.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

it('a server that is killed is started again: pools go on, the data is there, and it still has one owner', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  chmodSync(directory, 0o755)
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const pidFile = join(directory, 'postgres', 'postmaster.pid')
  const told: string[] = []
  const server = await startEmbeddedPostgres(
    directory,
    {},
    {
      watch: {
        onEnd: () => void told.push('ended'),
        onRevived: () => void told.push('revived'),
        onLost: () => void told.push('lost'),
      },
    },
  )
  const sql = connect(server.as('owner'), { max: 1, applicationName: 'test' })
  onTestFinished(async () => {
    await sql.end({ timeout: 1 })
    await server.stop()
  })
  await sql`create table kept (what text)`
  await sql`insert into kept values ('a task')`

  const kept = () => sql`select what from kept`.catch(() => [])
  for (const times of [1, 2]) {
    process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGKILL')
    await expect.poll(() => told, { timeout: 10_000 }).toHaveLength(2 * times)
    await expect.poll(kept, { timeout: 5000 }).toEqual([{ what: 'a task' }])
  }
  expect(told).toEqual(['ended', 'revived', 'ended', 'revived'])
  await expect(startEmbeddedPostgres(directory)).rejects.toMatchObject({ code: 'data.in_use' })

  await server.stop()
  expect(existsSync(pidFile)).toBe(false)
  expect(told).toHaveLength(4)
}, 40_000)

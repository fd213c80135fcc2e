import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { writePidFile } from '../../tools/pid-file.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { claimFolder } from './claim.ts'

it('ends what a killed predecessor left running, and forgets where its sidecars were', async () => {
  const dataDir = temporaryFolder()
  mkdirSync(join(dataDir, 'pids'), { mode: 0o700 })
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void left.kill('SIGKILL'))
  const ended = once(left, 'exit')
  writePidFile(join(dataDir, 'pids', 'tasks-api.pid'), left.pid!)
  for (const file of ['names.db', 'names.db-wal', 'names.db-shm']) writeFileSync(join(dataDir, file), 'old')

  const claim = await claimFolder(dataDir)
  expect(claim.ended).toBe(1)
  expect(await ended).toEqual([null, 'SIGTERM'])
  expect(readdirSync(join(dataDir, 'pids'))).toEqual([])
  expect(readdirSync(dataDir).filter((file) => file.startsWith('names.db'))).toEqual([])
  claim.release()
})

it('refuses a folder that a living Daybook has, until that lets go', async () => {
  const dataDir = temporaryFolder()
  const first = await claimFolder(dataDir)
  await expect(claimFolder(dataDir)).rejects.toMatchObject({
    code: 'program.already_runs',
    message: expect.stringContaining(dataDir) as string,
  })
  first.release()
  const second = await claimFolder(dataDir)
  expect(second.ended).toBe(0)
  second.release()
})

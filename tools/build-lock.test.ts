import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withBuildLock } from './build-lock.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

it('lets one build after the other do its work and tells the second whom it waits for', async () => {
  const lock = join(temporaryFolder(), 'build.lock')
  const log: string[] = []
  let finishFirst = () => {}
  const first = withBuildLock(
    lock,
    async () => {
      await new Promise<void>((resolve) => {
        finishFirst = resolve
      })
      log.push('first')
    },
    () => {},
  )
  const second = withBuildLock(
    lock,
    async () => {
      log.push('second')
      await Promise.resolve()
    },
    (pid) => {
      log.push(`waits for ${pid}`)
      finishFirst()
    },
  )
  await Promise.all([first, second])
  expect(log).toEqual([`waits for ${process.pid}`, 'first', 'second'])
})

it('is not held by a build that died', async () => {
  const lock = join(temporaryFolder(), 'build.lock')
  writeFileSync(lock, '{"pid":1,"started":"the start of another process"}\n')
  await expect(
    withBuildLock(
      lock,
      async () => await Promise.resolve('built'),
      () => {},
    ),
  ).resolves.toBe('built')
})

it('is let go when the work fails', async () => {
  const lock = join(temporaryFolder(), 'build.lock')
  const failing = withBuildLock(
    lock,
    async () => await Promise.reject(new Error('no compiler')),
    () => {},
  )
  await expect(failing).rejects.toThrow('no compiler')
  await expect(
    withBuildLock(
      lock,
      async () => await Promise.resolve('built'),
      () => {},
    ),
  ).resolves.toBe('built')
})

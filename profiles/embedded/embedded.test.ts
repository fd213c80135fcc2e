import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../shared/config.ts'
import { startEmbedded } from './embedded.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'daybook-embedded-'))
  chmodSync(path, 0o755)
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
const configFor = (dataDir: string) =>
  readConfig({ PORT: '0', DAYBOOK_DATA_DIR: dataDir, LOG_LEVEL: 'silent' })

it('npm start tells its process in daybook.pid, over what a killed one left, and works as no superuser', async () => {
  const dataDir = folder()
  const pidFile = join(dataDir, 'daybook.pid')
  writeFileSync(pidFile, '4194304\n')
  const daybook = await startEmbedded(configFor(dataDir))
  try {
    expect(readFileSync(pidFile, 'utf8')).toBe(`${process.pid}\n`)
    expect(await daybook.sql`show is_superuser`).toEqual([{ is_superuser: 'off' }])
    await expect(daybook.sql`create role intruder`).rejects.toMatchObject({ code: '42501' })
    await expect(daybook.sql`drop table tasks`).rejects.toMatchObject({ code: '42501' })
  } finally {
    await daybook.close()
  }
  expect(existsSync(pidFile)).toBe(false)
}, 60_000)

it('npm start leaves the daybook.pid of another alone when it fails, and ends without one', async () => {
  const dataDir = folder()
  const pidFile = join(dataDir, 'daybook.pid')
  const daybook = await startEmbedded(configFor(dataDir))
  const elsewhere = {
    ...configFor(dataDir),
    database: { ...configFor(dataDir).database, url: 'postgres://127.0.0.1:1/no' },
  }
  await expect(startEmbedded(elsewhere)).rejects.toThrow('ECONNREFUSED')
  expect(readFileSync(pidFile, 'utf8')).toBe(`${process.pid}\n`)
  rmSync(pidFile)
  await daybook.close()
  await expect(daybook.sql`select 1`).rejects.toThrow('CONNECTION_ENDED')
}, 60_000)

it('npm start refuses a data folder that is a link, and leaves what it leads to alone', async () => {
  const victim = folder()
  const dataDir = join(folder(), 'data')
  symlinkSync(victim, dataDir)
  const before = statSync(victim)
  await expect(startEmbedded(configFor(dataDir))).rejects.toThrow('it is a symbolic link')
  expect(statSync(victim)).toEqual(before)
})

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

it('npm start derives instants again by a newer zone database before it is ready, and knows how many', async () => {
  const config = configFor(folder())
  const earlier = await startEmbedded(config)
  const post = async (path: string, body: object, token = '') => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const answer = await fetch(earlier.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(answer.status).toBe(201)
    return (await answer.json()) as { access_token: string; id: string }
  }
  const person = { email: 'ada@example.org', password: 'correct horse battery staple' }
  const { access_token: token } = await post('/api/auth/register', person)
  const due = { due_at: '2036-06-01T08:00:00Z', time_zone: 'Africa/Casablanca' }
  const { id } = await post('/api/tasks', { title: 'Call', ...due }, token)
  await earlier.sql`update tasks set due_at = due_at - interval '1 hour', due_order = due_order - interval '1 hour'`
  await earlier.sql`update zone_database set version = '2000a'`
  const dueAt = async ({ sql }: typeof earlier) =>
    (await sql<{ due_at: Date }[]>`select due_at from tasks where id = ${id}`)[0]?.due_at.toISOString()
  expect([earlier.moved, await dueAt(earlier)]).toEqual([0, '2036-06-01T07:00:00.000Z'])
  await earlier.close()
  const newer = await startEmbedded(config)
  try {
    expect([newer.moved, await dueAt(newer)]).toEqual([1, '2036-06-01T08:00:00.000Z'])
  } finally {
    await newer.close()
  }
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

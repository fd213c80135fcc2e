import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { inheritedEnvironment } from '../../shared/config.ts'
import { startRealDaybook, type RealDaybook } from '../faults/real-daybook.ts'
import { createApiClient, type Person } from '../worlds/api-client.ts'
import { ROOT } from '../worlds/source-files.ts'

// The drill of docs/operations.md, by its commands: a backup under load, the machine lost with its data, a restore of all
// that was archived and one to a moment, and what clients see of it.
const RPO_S = 60
const RTO_S = 300
const LOAD_AFTER_COPY_MS = 35_000
const WRITERS = 4

const base = mkdtempSync(join(tmpdir(), 'daybook-drill-'))
chmodSync(base, 0o755)
const at = (name: string) => join(base, name)
const running: RealDaybook[] = []
afterAll(async () => {
  for (const daybook of running) await daybook.destroy()
  rmSync(base, { recursive: true, force: true })
})

function start(name: string): RealDaybook {
  const daybook = startRealDaybook(at(name))
  running.push(daybook)
  return daybook
}
const clientOf = (daybook: RealDaybook) =>
  createApiClient(async (path, init) => await fetch((await daybook.url()) + path, init))

/** A command as a person gives it; resolves when it is done. */
async function command(script: string, name: string, args: readonly string[]): Promise<void> {
  const env = { ...inheritedEnvironment(), DAYBOOK_DATA_DIR: at(name) }
  const child = spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  })
  expect(await once(child, 'exit')).toEqual([0, null])
}

interface Acknowledged {
  id: string
  key: string
  title: string
  at: number
}

/** Writes until it is stopped, and remembers what it was told is done. */
function load(client: ReturnType<typeof clientOf>, person: Person) {
  const acknowledged: Acknowledged[] = []
  const stopping = new AbortController()
  const write = async () => {
    for (let n = 1; !stopping.signal.aborted; n += 1) {
      const [key, title] = [randomUUID(), `Task ${n}`]
      const headers = { 'idempotency-key': key }
      const got = await client
        .ask('POST', '/api/tasks', { token: person.token, headers, json: { title } })
        .catch(() => undefined) // the machine is gone: nothing was acknowledged
      if (got?.status === 201) {
        const { id } = JSON.parse(got.text) as { id: string }
        acknowledged.push({ id, key, title, at: Date.now() })
      }
      await delay(50)
    }
  }
  const writers = Promise.all(Array.from({ length: WRITERS }, write))
  return {
    acknowledged,
    stop: async () => {
      stopping.abort()
      await writers
    },
  }
}

/** The ids of their tasks, and how far the feed goes. */
async function changesOf(client: ReturnType<typeof clientOf>, person: Person) {
  const ids = new Set<string>()
  for (let since = '0'; ;) {
    const page = await client.have(person, 'GET', `/api/changes?limit=1000&since=${since}`)
    for (const { data } of page['items'] as { data: { task?: { id: string } } }[])
      if (data.task) ids.add(data.task.id)
    since = page['next_since'] as string
    if (page['has_more'] === false) return { ids, cursor: since }
  }
}

it('a machine that is lost comes back within the objectives, and clients go on', async () => {
  const lost = start('lost')
  const client = clientOf(lost)
  const person = await client.register()
  const { acknowledged, stop } = load(client, person)
  await command('backup', 'lost', ['--to', at('backups')])
  const before = [...acknowledged]
  await delay(1000)
  const point = new Date()
  await delay(LOAD_AFTER_COPY_MS)
  const { cursor } = await changesOf(client, person)
  const lastWord = acknowledged.length
  await lost.destroy()
  const lostAt = Date.now()
  await stop()
  rmSync(at('lost'), { recursive: true, maxRetries: 5 })
  expect(before.length).toBeGreaterThan(0)
  expect(lastWord).toBeGreaterThan(before.length)

  // All that was archived.
  await command('restore', 'all', ['--from', at('backups')])
  const all = start('all')
  const { ids } = await changesOf(clientOf(all), person)
  const rto = (Date.now() - lostAt) / 1000
  const missing = acknowledged.filter(({ id }) => !ids.has(id))
  const rpo = (lostAt - Math.min(lostAt, ...missing.map((each) => each.at))) / 1000
  process.stdout.write(
    `Of ${acknowledged.length} acknowledged tasks the last ${missing.length} are lost: ` +
      `RPO ${rpo.toFixed(1)} s (objective ${RPO_S} s), RTO ${rto.toFixed(1)} s (objective ${RTO_S} s).\n`,
  )
  expect([rpo < RPO_S, rto < RTO_S]).toEqual([true, true])
  expect(await all.stop()).toBe(0)

  // A moment: nothing acknowledged before it is lost, nothing of after it is there.
  await command('restore', 'point', ['--from', at('backups'), '--at', point.toISOString()])
  const restored = clientOf(start('point'))
  const there = (await changesOf(restored, person)).ids
  expect(before.filter(({ id }) => !there.has(id))).toEqual([])
  // Where an answer came within the moment itself, either is right.
  const after = acknowledged.filter((each) => each.at > point.getTime() + 1000)
  expect(after.filter(({ id }) => there.has(id))).toEqual([])

  // Sessions of before it hold, a cursor of after it is told that it is gone, a key of before it gets its answer.
  const { token } = person
  expect(await restored.ask('GET', `/api/changes?since=${cursor}`, { token })).toMatchObject({ status: 410 })
  const again = ({ key, title }: Acknowledged) =>
    restored.ask('POST', '/api/tasks', { token, headers: { 'idempotency-key': key }, json: { title } })
  const replayed = await again(before[0]!)
  expect([replayed.status, JSON.parse(replayed.text).id]).toEqual([201, before[0]!.id])
  // What was lost is made when its client sends it again.
  expect((await again(after.at(-1)!)).status).toBe(201)
  expect((await changesOf(restored, person)).ids.size).toBe(there.size + 1)
}, 180_000)

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { testDatabase } from '../../testing/worlds/database.ts'
import { startReplica, type Replica } from '../../testing/worlds/replica.ts'
import { openClient, type Client, type Command, type State, type SyncResult, type Task } from './client.ts'

/** In the suite `npm run test:sync` 2,000. */
const RUNS = Number(process.env.SYNC_RUNS ?? 15)
const OPERATIONS = [
  'sync/take-snapshot',
  'tasks/sync-commands',
  'tasks/create-task',
  'tasks/edit-task',
  'tasks/list-tasks',
]

const sql = await testDatabase({ max: 20 })
const until = (condition: () => unknown) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 15_000, interval: 5 })
const start = () => startReplica(sql, { also: OPERATIONS })
type Person = Awaited<ReturnType<Replica['newListener']>>

interface Device extends Client {
  saved: () => State | null
  results: SyncResult['results'][number][]
}

/** A device with a store of its own, which is off until it is started. */
async function device({ token }: Person, url: string, kept: State | null = null): Promise<Device> {
  let saved = kept
  const results: Device['results'] = []
  const store = {
    load: async () => structuredClone(saved),
    save: async (state: State) => void (saved = structuredClone(state)),
  }
  const client = await openClient({
    url,
    token: async () => token,
    store,
    onResult: (result) => void results.push(result),
    random: () => 0,
  })
  onTestFinished(client.stop)
  return { ...client, saved: () => saved, results }
}

const isSettled = (one: Device) =>
  one.status().connection === 'live' && one.status().queued === 0 && one.saved()?.pending.length === 0
const titles = (one: Client) => one.tasks().map(({ title }) => title)

async function serverTasks(replica: Replica, { token }: Person): Promise<Task[]> {
  const { text } = await replica.ask('GET', '/api/tasks?limit=200&sort_by=position', { token })
  return (JSON.parse(text) as { items: Task[] }).items
}

describe('the client', () => {
  it('shows at once what is done, here and on another device', async () => {
    const replica = await start()
    const person = await replica.newListener()
    const [phone, laptop] = await Promise.all([device(person, replica.url), device(person, replica.url)])
    await Promise.all([phone.start(), laptop.start()])
    await until(() => isSettled(phone) && isSettled(laptop))
    phone.run({ op: 'create', temp_id: 'new', fields: { title: 'Pay rent' } })
    expect(titles(phone)).toEqual(['Pay rent'])
    await until(() => titles(laptop).length === 1 && isSettled(phone))
    expect(phone.tasks()).toEqual(laptop.tasks())
    expect(phone.tasks()).toEqual(await serverTasks(replica, person))
  })

  it('keeps what is done offline, across its own restart, and goes on after one of the server', async () => {
    const [first, second] = [await start(), await start()]
    const person = await first.newListener()
    const phone = await device(person, first.url)
    await phone.start()
    phone.run({ op: 'create', temp_id: 'a', fields: { title: 'Online' } })
    await until(() => isSettled(phone))
    await first.close()
    await until(() => phone.status().connection !== 'live')
    phone.run({ op: 'create', temp_id: 'b', fields: { title: 'Offline' } })
    phone.run({ op: 'update', target: 'b', fields: { title: 'Edited' }, base: { title: 'Offline' } })
    expect([titles(phone), phone.status().queued]).toEqual([['Online', 'Edited'], 2])
    await until(() => phone.status().connection === 'offline')
    phone.stop()
    await until(() => phone.saved()?.pending.length === 2)

    const restarted = await device(person, second.url, phone.saved())
    await restarted.start()
    await until(() => isSettled(restarted))
    expect(titles(restarted)).toEqual(['Online', 'Edited'])
    expect(restarted.tasks()).toEqual(await serverTasks(second, person))
  })

  it('takes back what is refused, and says so; and tells what it has written over', async () => {
    const replica = await start()
    const person = await replica.newListener()
    const [phone, laptop] = await Promise.all([device(person, replica.url), device(person, replica.url)])
    phone.run({ op: 'create', temp_id: 'a', fields: { title: 'A' } })
    phone.run({ op: 'create', temp_id: 'bad', fields: { title: '' } })
    expect(phone.tasks()).toHaveLength(2)
    await phone.start()
    await until(() => isSettled(phone))
    expect([titles(phone), phone.results.map(({ problem }) => problem?.code)]).toEqual([
      ['A'],
      ['request.invalid'],
    ])
    await laptop.start()
    await until(() => isSettled(laptop))
    const [{ id }] = laptop.tasks() as [Task]
    laptop.stop()
    phone.run({ op: 'update', target: id, fields: { title: 'B' }, base: { title: 'A' } })
    await until(() => isSettled(phone))
    laptop.run({ op: 'update', target: id, fields: { title: 'C' }, base: { title: 'A' } })
    await laptop.start()
    await until(() => isSettled(laptop) && titles(phone)[0] === 'C')
    expect(laptop.results[0]!.conflicts).toEqual([
      { field: 'title', base: 'A', theirs: 'B', yours: 'C', kept: 'yours' },
    ])
  })

  it('has of a moved task all that the server has', async () => {
    const replica = await start()
    const person = await replica.newListener()
    const phone = await device(person, replica.url)
    phone.run({ op: 'create', temp_id: 'a', fields: { title: 'A' } })
    phone.run({ op: 'create', temp_id: 'b', fields: { title: 'B' } })
    await phone.start()
    await until(() => isSettled(phone))
    const [a, b] = phone.tasks() as [Task, Task]
    phone.run({ op: 'move', target: a.id, after: b.id })
    await until(() => isSettled(phone))
    expect(titles(phone)).toEqual(['B', 'A'])
    expect(phone.tasks()).toEqual(await serverTasks(replica, person))
  })

  it('loads a snapshot where its cursor is gone, and keeps what was not sent', async () => {
    const replica = await start()
    const person = await replica.newListener()
    const phone = await device(person, replica.url)
    phone.run({ op: 'create', temp_id: 'a', fields: { title: 'Before' } })
    await phone.start()
    await until(() => isSettled(phone))
    phone.stop()
    phone.run({ op: 'create', temp_id: 'b', fields: { title: 'Offline' } })
    await sql`update history set id = gen_random_uuid()`
    await phone.start()
    await until(() => isSettled(phone))
    expect(titles(phone)).toEqual(['Before', 'Offline'])
  })

  it(
    'converges: devices that did anything offline show the same as the server in the end',
    { timeout: 3_600_000 },
    async () => {
      const replica = await start()
      const pick = fc.nat(9)
      const deed = fc.oneof(
        fc.record({ op: fc.constant('create' as const), title: fc.constantFrom('x', 'y', '') }),
        fc.record({ op: fc.constant('update' as const), pick, title: fc.constantFrom('p', 'q', 'r') }),
        fc.record({
          op: fc.constant('tag' as const),
          pick,
          add: fc.subarray(['a', 'b']),
          remove: fc.subarray(['b', 'c']),
        }),
        fc.record({
          op: fc.constantFrom('complete' as const, 'reopen' as const, 'delete' as const, 'restore' as const),
          pick,
        }),
        fc.record({ op: fc.constant('move' as const), pick, other: fc.nat(9) }),
      )
      const visit = fc.array(deed, { maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(visit, visit, visit), { minLength: 1, maxLength: 2 }),
          async (rounds) => {
            const person = await replica.newListener()
            const devices = await Promise.all([1, 2, 3].map(() => device(person, replica.url)))
            let made = 0
            for (const round of rounds) {
              for (const [index, deeds] of round.entries()) {
                const one = devices[index]!
                for (const done of deeds) {
                  const tasks = one.tasks()
                  const at = (n: number) => tasks[n % tasks.length]
                  if (done.op === 'create')
                    one.run({ op: 'create', temp_id: `t${(made += 1)}`, fields: { title: done.title } })
                  else if (tasks.length > 0) one.run(commandOf(done, at))
                }
              }
              await Promise.all(devices.map((one) => one.start()))
              await until(() => devices.every(isSettled))
              const last = await serverTasks(replica, person)
              for (const one of devices)
                await vi.waitFor(() => expect(one.tasks()).toEqual(last), { timeout: 15_000, interval: 5 })
              for (const one of devices) one.stop()
            }
            // And none was lost: each has a stored answer, or was refused.
            const refused = devices
              .flatMap(({ results }) => results)
              .filter(({ status }) => status === 'refused')
            const [{ kept }] = await sql<[{ kept: number }]>`
              select count(*)::int as kept from idempotency_keys where user_id = ${person.id}`
            const done = devices.map((one) => one.saved()?.lastId ?? 0)
            expect(kept + refused.length).toBe(done.reduce((sum, each) => sum + each, 0))
          },
        ),
        { numRuns: RUNS, endOnFailure: true },
      )
    },
  )

  it('is a package of less than 10 kB, with its types', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url))
    const folder = mkdtempSync(join(tmpdir(), 'daybook-client-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)
    const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: join(root, 'web/client'),
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    })
    expect([packed.status, packed.stderr]).toEqual([0, packed.stderr])
    expect(packed.stdout).toContain('dist/client.d.ts')
    expect(gzipSync(readFileSync(join(root, 'web/client/dist/client.js'))).length).toBeLessThan(10_000)
  })
})

type Done = {
  op: 'complete' | 'reopen' | 'delete' | 'restore' | 'update' | 'tag' | 'move'
  pick: number
  title?: string
  add?: string[]
  remove?: string[]
  other?: number
}

function commandOf(
  { op, pick, title = '', add = [], remove = [], other = 0 }: Done,
  at: (n: number) => Task | undefined,
): Command {
  const { id: target, title: base } = at(pick)!
  if (op === 'update') return { op, target, fields: { title }, base: { title: base } }
  if (op === 'tag') return { op, target, add, remove }
  if (op === 'move') return { op, target, after: at(other)!.id }
  return { op, target }
}

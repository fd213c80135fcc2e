import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { connect, socketUrl, type SocketTarget } from '../shared/db/connect.ts'
import { startEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { EMBEDDED_ROLES } from '../profiles/embedded/embedded-roles.ts'
import { MIGRATION_LOCK } from '../shared/db/migrate.ts'
import { DUE_ROWS } from '../shared/db/due-rows.ts'
import { prepareDatabase } from '../shared/db/prepare-database.ts'
import { systemIds } from '../shared/kit/system.ts'

const ROOT = new URL('..', import.meta.url).pathname
const LAST = '0003_reminding'

/** Runs a program as a person does. */
function start(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { PATH: '/usr/bin:/bin', ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = once(child, 'close').then(([status]) => ({ status, out: out.trim(), err: err.trim() }))
  return { ended, out: () => out }
}
const run = (args: string[], env: Record<string, string>) => start(args, env).ended

const admin = connect(inject('postgres'), { max: 1, applicationName: 'test' })
afterAll(() => admin.end({ timeout: 1 }))

/** A database without tables, with an owner and the role of the product. */
async function emptyDatabase() {
  const database = `m_${systemIds.hex(8)}`
  await admin`create database ${admin(database)} owner ${admin(EMBEDDED_ROLES.owner)} template template0`
  const as = (role: keyof typeof EMBEDDED_ROLES): SocketTarget => ({
    ...inject('postgres'),
    database,
    user: EMBEDDED_ROLES[role],
  })
  return {
    as,
    env: { DATABASE_URL: socketUrl(as('app')), DATABASE_MIGRATION_URL: socketUrl(as('owner')) },
  }
}

async function tablesOf(target: SocketTarget): Promise<number> {
  const sql = connect(target, { max: 1, applicationName: 'test' })
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`
  await sql.end()
  return row!.count
}

const MIGRATE = ['scripts/migrate.ts']
/** Those that work with the tables and make none. */
const USERS: [string, string[], Record<string, string>][] = [
  ['npm run dlq', ['scripts/dlq.ts', 'list'], {}],
  ['npm run keys:rotate', ['scripts/rotate-keys.ts'], {}],
  ['a deployed unit', ['functions/main.ts', 'tasks/create-task'], { APP_API_TOKEN: 'token', PORT: '0' }],
]

describe('npm run migrate', () => {
  it('says what is missing, applies it as the owner, opens the rows to the product, and has nothing to do again', async () => {
    const { as, env } = await emptyDatabase()
    const pending = await run([...MIGRATE, '--status'], env)
    expect(pending).toMatchObject({ status: 0, err: '' })
    expect(pending.out).toMatch(/^pending {2}0001_core$/m)
    expect(pending.out).toMatch(/^pending {2}functions\/commit_change$/m)
    expect(pending.out).not.toContain('applied')
    expect(await tablesOf(as('superuser'))).toBe(0)

    const migrated = await run(MIGRATE, env)
    expect(migrated).toMatchObject({ status: 0, err: '' })
    expect(migrated.out).toMatch(/^applied {2}0001_core$/m)
    expect(migrated.out).toMatch(/^applied {2}functions\/commit_change$/m)
    expect(migrated.out).toMatch(/The database is up to date now\.$/)

    expect(await run(MIGRATE, env)).toEqual({ status: 0, out: 'The database is up to date.', err: '' })
    const applied = await run([...MIGRATE, '--status'], env)
    expect(applied.out).toMatch(new RegExp(`^applied {2}${LAST} {2}\\d{4}-`, 'm'))
    expect(applied.out).toMatch(/^applied {2}functions\/commit_change {2}\d{4}-/m)
    expect(applied.out).not.toContain('pending')

    const app = connect(as('app'), { max: 1, applicationName: 'test' })
    onTestFinished(() => app.end({ timeout: 1 }))
    expect(await app`select count(*)::int as tasks from tasks`).toEqual([{ tasks: 0 }])
    await expect(app`drop table tasks`).rejects.toMatchObject({ code: '42501' })
  })

  it.each([['--statsu'], ['status']])('prints its usage for %s, and changes nothing', async (arg) => {
    const { as, env } = await emptyDatabase()
    const { status, out, err } = await run([...MIGRATE, arg], env)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toContain(arg)
    expect(err.endsWith('\nUsage: npm run migrate [-- --status]')).toBe(true)
    expect(await tablesOf(as('superuser'))).toBe(0)
  })

  it('waits for another that migrates', async () => {
    const { as, env } = await emptyDatabase()
    const other = connect(as('superuser'), { max: 1, applicationName: 'test' })
    onTestFinished(() => other.end({ timeout: 1 }))
    await other`select pg_advisory_lock(${MIGRATION_LOCK})`
    const waiting = start(MIGRATE, env)
    await expect
      .poll(
        () => other`select 1 from pg_locks where locktype = 'advisory' and not granted
          and database = (select oid from pg_database where datname = current_database())`,
        { timeout: 15_000 },
      )
      .toHaveLength(1)
    expect(waiting.out()).toBe('')
    await other`select pg_advisory_unlock(${MIGRATION_LOCK})`
    expect((await waiting.ended).status).toBe(0)
  })

  it('needs more than the role of the product', async () => {
    const { as } = await emptyDatabase()
    const { status, err } = await run(MIGRATE, { DATABASE_URL: socketUrl(as('app')) })
    expect(status).toBe(1)
    expect(err).toBe(
      'failed to migrate: the database does not allow it (permission denied for schema public); for migrations, DATABASE_MIGRATION_URL names the owner of its tables.',
    )
  })

  it('lets a role count what is due, and read nothing of it', async () => {
    const { as, env } = await emptyDatabase()
    const role = `scaler_${systemIds.hex(4)}`
    await admin`create role ${admin(role)} login`
    expect(await run(MIGRATE, { ...env, DATABASE_SCALER_ROLE: role })).toMatchObject({ status: 0, err: '' })
    const scaler = connect({ ...as('app'), user: role }, { max: 1, applicationName: 'test' })
    onTestFinished(() => scaler.end({ timeout: 1 }))
    for (const query of Object.values(DUE_ROWS)) {
      expect(Object.values((await scaler.unsafe(query))[0] ?? {})).toEqual([0])
    }
    for (const table of ['reminders', 'deliveries', 'tasks', 'users']) {
      await expect(scaler`select * from ${scaler(table)}`).rejects.toMatchObject({ code: '42501' })
    }
  })

  it('works on the embedded database, beside a Daybook that runs and alone', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'daybook-migrate-'))
    chmodSync(dataDir, 0o755)
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
    const env = { DAYBOOK_DATA_DIR: dataDir }
    expect(await run(MIGRATE, env)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^failed to migrate: There is no Daybook in/) as string,
    })
    const server = await startEmbeddedPostgres(dataDir)
    expect((await run(MIGRATE, env)).out).toMatch(/up to date now\.$/)
    await server.stop()
    expect(await run(MIGRATE, env)).toEqual({ status: 0, out: 'The database is up to date.', err: '' })
  }, 60_000)
})

describe.each([...USERS, ['npm run migrate', MIGRATE, {}] as const])('%s', (_, args, more) => {
  it('refuses a PostgreSQL that is too old, in one line that says so', async () => {
    const { as } = await emptyDatabase()
    const owner = connect(as('owner'), { max: 1, applicationName: 'test' })
    onTestFinished(() => owner.end({ timeout: 1 }))
    // As such a server answers.
    await owner`create schema old`
    await owner`create function old.current_setting(text) returns text language sql as 'select $$150004$$'`
    await owner.unsafe(`alter database ${as('owner').database} set search_path = old, pg_catalog, public`)
    const { status, err } = await run([...args], { ...more, DATABASE_URL: socketUrl(as('owner')) })
    expect(status).toBe(1)
    expect(err).toMatch(/Daybook needs PostgreSQL 18 or newer; the server of this database is 15\.$/)
  })
})

describe.each(USERS)('%s', (_, args, more) => {
  it.each([
    ['an empty database', 'is empty', []],
    ['an older database', `does not fit this Daybook (it lacks ${LAST})`, [LAST]],
  ])('refuses %s in one line that names the command, and changes nothing', async (__, state, lacking) => {
    const { as } = await emptyDatabase()
    if (lacking.length > 0) {
      await prepareDatabase({ target: as('app'), ownerTarget: as('owner') })
      const owner = connect(as('owner'), { max: 1, applicationName: 'test' })
      await owner`delete from schema_migrations where name = any(${lacking})`
      await owner.end()
    }
    const before = await tablesOf(as('superuser'))
    // As a role that could make the tables, so that nothing but the program itself keeps it from it.
    const { status, out, err } = await run(args, { ...more, DATABASE_URL: socketUrl(as('owner')) })
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(/^[^\n]+$/)
    expect(err.endsWith(`The database ${state}; run npm run migrate.`)).toBe(true)
    expect(await tablesOf(as('superuser'))).toBe(before)
  })
})

it('npm run keys:rotate makes a key beside a Daybook that runs, and none where there is no Daybook', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'daybook-keys-'))
  chmodSync(dataDir, 0o755)
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { DAYBOOK_DATA_DIR: dataDir }
  expect((await run(['scripts/rotate-keys.ts'], env)).err).toMatch(/^No new key: There is no Daybook in/)
  const server = await startEmbeddedPostgres(dataDir)
  await prepareDatabase({ target: server.target, ownerTarget: server.as('owner') })
  expect(await run(['scripts/rotate-keys.ts'], env)).toMatchObject({ status: 0, err: '' })
  const usage = 'Usage: npm run keys:rotate'
  const keys = connect(server.as('owner'), { max: 1, applicationName: 'test' })
  const before = await keys`select kid from signing_keys`
  expect(await run(['scripts/rotate-keys.ts', '--help'], env)).toEqual({ status: 0, out: usage, err: '' })
  for (const unknown of ['--bogus', 'now']) {
    const { status, out, err } = await run(['scripts/rotate-keys.ts', unknown], env)
    expect([status, out, err.split('\n').at(-1)]).toEqual([1, '', usage])
    expect(err).toContain(unknown)
  }
  expect(await keys`select kid from signing_keys`).toEqual(before)
  await keys.end({ timeout: 1 })
  await server.stop()
}, 60_000)

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ensureSchema } from '../../dapr/embedded/schema.ts'
import { connect, type Sql } from '../../shared/db/connect.ts'
import { joinEmbeddedPostgres, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts'
import { prepareDatabase } from '../../shared/db/prepare-database.ts'
import { prepareRoles } from './embedded-roles.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'daybook-roles-'))
  chmodSync(path, 0o755)
  return path
}

const SECRET = 'a-word-that-a-user-wrote'

describe('the roles of the embedded server', () => {
  const dataDir = folder()
  let server: EmbeddedPostgres
  let app: Sql
  let owner: Sql
  let superuser: Sql
  const open = (role: Parameters<EmbeddedPostgres['as']>[0]) =>
    connect(server.as(role), { max: 2, applicationName: 'test' })

  beforeAll(async () => {
    server = await startEmbeddedPostgres(dataDir)
    await prepareDatabase(
      { target: server.target, ownerTarget: server.as('owner') },
      { schema: 'dapr', make: ensureSchema },
    )
    ;[app, owner, superuser] = [open('app'), open('owner'), open('superuser')]
  })
  afterAll(async () => {
    await Promise.all([app, owner, superuser].map((sql) => sql.end({ timeout: 1 })))
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('the product and the migrations are no superusers', async () => {
    const rows = await superuser`
      select rolname, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as may_more
      from pg_roles where rolname like 'daybook%' order by 1`
    expect([...rows]).toEqual([
      { rolname: 'daybook', may_more: true },
      { rolname: 'daybook_app', may_more: false },
      { rolname: 'daybook_owner', may_more: false },
      { rolname: 'daybook_state', may_more: false },
    ])
    expect(await app`select current_user::text as me`).toEqual([{ me: 'daybook_app' }])
  })

  it.each([
    'create role intruder',
    `copy (select 1) to program 'true'`,
    `copy tasks from '/etc/hostname'`,
    `select pg_read_file('/etc/hostname')`,
    `select pg_ls_dir('/')`,
    'create table mine (a int)',
    'create schema mine',
    'create extension pg_trgm',
    'alter table tasks drop column title',
    'alter table tasks disable trigger all',
    'drop table tasks',
    'truncate tasks',
    'drop table dapr.jobs',
    'drop function commit_change',
    `update schema_migrations set checksum = 'x'`,
    'update dapr.schema_version set version = 99',
    'create table dapr_state.mine (a int)',
    "alter system set log_statement = 'all'",
    `set log_min_messages = 'debug5'`,
    'set role daybook_owner',
    'set session authorization daybook',
  ])('the product may not: %s', async (statement) => {
    await expect(app.unsafe(statement)).rejects.toMatchObject({ code: '42501' })
  })

  it('the product uses the rows of a table that a later migration makes', async () => {
    await owner`create table later (id bigint generated always as identity, text text)`
    await app`insert into later (text) values ('a')`
    await app`update later set text = 'b'`
    expect(await app`delete from later returning text`).toEqual([{ text: 'b' }])
    await owner`drop table later`
  })

  it('a state store of Dapr makes its tables in its own schema and sees none of the product', async () => {
    const state = open('state')
    onTestFinished(() => state.end({ timeout: 1 }))
    await state`create table if not exists dapr_state (key text primary key)`
    const [row] = await state`select to_regclass('dapr_state.dapr_state') is not null as is_there`
    expect(row).toEqual({ is_there: true })
    await expect(state`select * from tasks`).rejects.toMatchObject({ code: '42P01' })
    await expect(state`select * from public.tasks`).rejects.toMatchObject({ code: '42501' })
  })

  it('keeps what users write out of its log, whatever fails', async () => {
    const provoked = [
      app`select ${SECRET}::text::uuid`,
      app.unsafe(`select '${SECRET}'::int`),
      app`insert into outbox (user_id, seq, time) values (${SECRET}, 1, now())`,
      app.unsafe(`insert into login_counts values ('${SECRET}', 1, now()), ('${SECRET}', 1, now())`),
      app.unsafe(`do $$ begin raise exception '${SECRET}'; end $$`),
      app.unsafe(`do $$ begin raise warning '${SECRET}'; end $$`),
      app.unsafe(`${SECRET} is no statement`),
      owner.unsafe(`select '${SECRET}'::int`),
    ]
    const results = await Promise.allSettled(provoked)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(7)
    // A line that is logged shows that all before it has been written.
    await superuser`do $$ begin raise warning 'the last line'; end $$`
    const log = () => readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8')
    await expect.poll(log).toContain('the last line')
    expect(log()).not.toContain(SECRET)
  })

  it('are made once: again it changes nothing', async () => {
    const state = () => superuser`select rolname, oid from pg_roles where rolname like 'daybook%' order by 1`
    const before = await state()
    await prepareRoles(superuser)
    expect(await state()).toEqual(before)
  })
})

it('data whose one role was the superuser is handed over, with all that is in it', async () => {
  const dataDir = folder()
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const first = await startEmbeddedPostgres(dataDir)
  const old = connect(first.as('superuser'), { max: 1, applicationName: 'test' })
  await old.unsafe(`alter database postgres owner to daybook;
    drop schema dapr_state; drop role daybook_app; drop role daybook_owner; drop role daybook_state`)
  await prepareDatabase(
    { target: first.as('superuser'), ownerTarget: first.as('superuser') },
    { schema: 'dapr', make: ensureSchema },
  )
  await old`insert into users (id, time_zone, created_at) values (gen_random_uuid(), 'UTC', now())`
  await old.end()
  await first.stop()

  const second = await startEmbeddedPostgres(dataDir)
  await prepareDatabase(
    { target: second.target, ownerTarget: second.as('owner') },
    { schema: 'dapr', make: ensureSchema },
  )
  const [app, owner] = [second.target, second.as('owner')].map((target) =>
    connect(target, { max: 1, applicationName: 'test' }),
  ) as [Sql, Sql]
  expect(await app`select count(*)::int as people from users`).toEqual([{ people: 1 }])
  await owner`alter table tasks add column more text`
  await app.end()
  await owner.end()
  await second.stop()
})

describe('the socket of data whose path is long', () => {
  /** So long that no socket can lie in it. */
  function longFolder(): { dataDir: string; runtimeDir: string } {
    const root = folder()
    onTestFinished(() => rmSync(root, { recursive: true, force: true }))
    const dataDir = join(root, 'x'.repeat(90))
    mkdirSync(dataDir, { mode: 0o755 })
    return { dataDir, runtimeDir: root }
  }

  it('lies in a folder of its own, and who joins finds it without being told where', async () => {
    const { dataDir, runtimeDir } = longFolder()
    const server = await startEmbeddedPostgres(dataDir, {}, { runtimeDir })
    onTestFinished(() => rmSync(server.target.host, { recursive: true, force: true }))
    expect(statSync(server.target.host).mode & 0o777).toBe(0o700)
    // Under root the server is another user, who cannot enter the folder of this one.
    if (process.getuid?.() !== 0) expect(server.target.host.startsWith(`${runtimeDir}/daybook-`)).toBe(true)
    const joined = await joinEmbeddedPostgres(dataDir)
    expect(joined.target).toEqual(server.target)
    await server.stop()
  })

  it('is never behind a link that somebody has put there, whose target stays what it is', async () => {
    const { dataDir, runtimeDir } = longFolder()
    const options = { runtimeDir }
    const server = await startEmbeddedPostgres(dataDir, {}, options)
    await server.stop()
    const place = server.target.host
    rmSync(place, { recursive: true })
    const victim = folder()
    symlinkSync(victim, place)
    onTestFinished(() => {
      rmSync(place)
      rmSync(victim, { recursive: true })
    })
    const before = statSync(victim)
    await expect(startEmbeddedPostgres(dataDir, {}, options)).rejects.toThrow('it is a symbolic link')
    expect(statSync(victim)).toEqual(before)
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { testDatabaseTarget } from '../../testing/worlds/database.ts'
import { EMBEDDED_ROLES } from '../../profiles/embedded/embedded-roles.ts'
import { connect, type SocketTarget, type Sql } from './connect.ts'
import { migrate, migrationStatus, requireMigrated, type SqlFolders } from './migrate.ts'
import { prepareDatabase } from './prepare-database.ts'
import { readSqlFiles } from './sql-files.ts'

const admin = connect(inject('postgres'), { max: 1, applicationName: 'test' })
afterAll(() => admin.end({ timeout: 1 }))

let target: SocketTarget
let sql: Sql
beforeEach(async () => {
  const database = `f_${crypto.randomUUID().replaceAll('-', '')}`
  await admin`create database ${admin(database)} owner ${admin(EMBEDDED_ROLES.owner)} template template0`
  target = { ...inject('postgres'), database, user: EMBEDDED_ROLES.owner }
  sql = open(target)
})

function open(to: SocketTarget): Sql {
  const opened = connect(to, { max: 2, applicationName: 'test' })
  onTestFinished(() => opened.end({ timeout: 1 }))
  return opened
}

/** A Daybook with these files, `migrations/…` and `functions/…` by their names. */
function daybookOf(files: Record<string, string>): SqlFolders {
  const root = mkdtempSync(join(tmpdir(), 'sql-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ['migrations', 'functions']) mkdirSync(join(root, folder))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, `${name}.sql`), text)
  const url = pathToFileURL(`${root}/`)
  return { migrations: new URL('migrations/', url), functions: new URL('functions/', url) }
}

const TABLE = { 'migrations/0001_pets': 'create table pets (id int primary key, name text)' }
const greeting = (word: string) =>
  `create or replace function greet(who text) returns text language sql as $$ select '${word} ' || who $$`
const hello = { ...TABLE, 'functions/greet': greeting('hello') }
const greet = async () => (await sql<{ greet: string }[]>`select greet('you')`)[0]!.greet
const identityOf = (name: string) => sql`select oid, xmin::text from pg_proc where proname = ${name}`

describe('the functions of a database', () => {
  it('are made after the tables, and not again while they are the same', async () => {
    expect(await migrate(sql, daybookOf(hello))).toEqual(['0001_pets', 'functions/greet'])
    expect(await greet()).toBe('hello you')
    const before = await identityOf('greet')
    expect(await migrate(sql, daybookOf(hello))).toEqual([])
    expect(await identityOf('greet')).toEqual(before)
  })

  it('are made again when their text has changed, in place, so that what is under way goes on', async () => {
    await migrate(sql, daybookOf(hello))
    const [before] = await identityOf('greet')
    const changed = daybookOf({ ...TABLE, 'functions/greet': greeting('hi') })
    expect((await migrationStatus(sql, changed)).pending).toEqual(['functions/greet'])
    await expect(requireMigrated(sql, changed)).rejects.toMatchObject({
      code: 'migration.pending',
      message: 'The database does not fit this Daybook (it lacks functions/greet); run npm run migrate.',
    })
    expect(await migrate(sql, changed)).toEqual(['functions/greet'])
    expect(await greet()).toBe('hi you')
    expect((await identityOf('greet'))[0]!['oid']).toBe(before!['oid'])
    const { applied, pending } = await migrationStatus(sql, changed)
    expect(applied.map(({ name }) => name)).toEqual(['0001_pets', 'functions/greet'])
    expect(pending).toEqual([])
  })

  it.each([
    [
      'another parameter',
      'greet(who text, times int default 2) returns text',
      `repeat(who, times)`,
      'youyou',
    ],
    ['a parameter of another type', 'greet(who varchar) returns text', `'varchar ' || who`, 'varchar you'],
    ['a parameter of another name', 'greet(whom text) returns text', `'dear ' || whom`, 'dear you'],
    ['another result', 'greet(who text) returns varchar', `'v ' || who`, 'v you'],
  ])('take the place of their old form where they have %s', async (_what, head, body, answer) => {
    await migrate(sql, daybookOf(hello))
    const text = `create or replace function ${head} language sql as $$ select ${body} $$`
    await migrate(sql, daybookOf({ ...TABLE, 'functions/greet': text }))
    expect(await greet()).toBe(answer)
    expect(await identityOf('greet')).toHaveLength(1)
  })

  it('are made again after each migration, which may have changed what they are built on', async () => {
    const names = `do $$ begin execute format('create or replace function columns() returns text language sql as %L',
      'select ' || quote_literal((select string_agg(attname, ' ' order by attnum) from pg_attribute
        where attrelid = 'pets'::regclass and attnum > 0))); end $$`
    await migrate(sql, daybookOf({ ...TABLE, 'functions/columns': names }))
    const later = { 'migrations/0002_age': 'alter table pets add column age int' }
    const applied = await migrate(sql, daybookOf({ ...TABLE, ...later, 'functions/columns': names }))
    expect(applied).toEqual(['0002_age', 'functions/columns'])
    expect(await sql`select columns()`).toEqual([{ columns: 'id name age' }])
  })

  it('go when their file has gone', async () => {
    await migrate(sql, daybookOf(hello))
    await migrate(sql, daybookOf(TABLE))
    expect(await identityOf('greet')).toEqual([])
  })

  it('stay as they were, all of them, when one cannot be made', async () => {
    await migrate(sql, daybookOf(hello))
    const broken = {
      ...TABLE,
      'functions/greet': greeting('hi'),
      'functions/later': 'create function later() nonsense',
    }
    await expect(migrate(sql, daybookOf(broken))).rejects.toMatchObject({ code: '42601' })
    expect(await greet()).toBe('hello you')
  })

  it('stay those of a newer Daybook, whose tables an older one does not know', async () => {
    const later = { 'migrations/0002_age': 'alter table pets add column age int' }
    await migrate(sql, daybookOf({ ...TABLE, ...later, 'functions/greet': greeting('newer') }))
    await expect(migrate(sql, daybookOf(hello))).rejects.toMatchObject({ code: 'migration.newer_data' })
    expect(await greet()).toBe('newer you')
  })

  it('are made once by processes that migrate at the same moment', async () => {
    const folders = daybookOf(hello)
    const pools = Array.from({ length: 4 }, () => open(target))
    const applied = await Promise.all(pools.map((pool) => migrate(pool, folders)))
    expect(applied.flat().toSorted()).toEqual(['0001_pets', 'functions/greet'])
    const changed = daybookOf({ ...TABLE, 'functions/greet': greeting('hi') })
    const again = await Promise.all(pools.map((pool) => migrate(pool, changed)))
    expect(again.flat()).toEqual(['functions/greet'])
    expect(await greet()).toBe('hi you')
  })
})

it('refuses data whose migration was another', async () => {
  await migrate(sql, daybookOf(hello))
  const other = daybookOf({ 'migrations/0001_pets': 'create table pets (id bigint primary key)' })
  await expect(migrate(sql, other)).rejects.toMatchObject({ code: 'migration.changed' })
})

describe('the functions of Daybook', () => {
  const files = readSqlFiles(new URL('./functions/', import.meta.url))

  it('bear the names of their files, one each, and migrations make none', async () => {
    const fresh = open(await testDatabaseTarget())
    const rows = await fresh<{ proname: string }[]>`
      select proname from pg_proc p where pronamespace = 'public'::regnamespace
        and prorettype <> 'trigger'::regtype -- a part of its table
        and not exists (
        select from pg_depend d where d.objid = p.oid and d.deptype = 'e') order by proname`
    expect(rows.map(({ proname }) => proname)).toEqual(files.map(({ name }) => name).toSorted())
  })

  it('build the index of titles again when another ICU may sort them otherwise', async () => {
    const fresh = open(await testDatabaseTarget())
    const built = async () => {
      const [row] = await fresh<{ file: number; version: string }[]>`
        select pg_relation_filenode('tasks_by_title') as file, collversion as version
        from pg_collation where collname = 'title_order'`
      return row!
    }
    const before = await built()
    expect(await migrate(fresh)).toEqual([])
    expect(await built()).toEqual(before)
    await fresh`update pg_collation set collversion = '1' where collname = 'title_order'`
    expect(await migrate(fresh)).toEqual(['tasks_by_title'])
    const after = await built()
    expect([after.version, after.file === before.file]).toEqual([before.version, false])
  })

  it('of an older database are brought up to date, and the product may use them', async () => {
    const as = (role: keyof typeof EMBEDDED_ROLES) => ({ ...target, user: EMBEDDED_ROLES[role] })
    await prepareDatabase({ target: as('app'), ownerTarget: as('owner') })
    await sql.unsafe(`drop function commit_change;
      create function commit_change(change jsonb, more int) returns int language sql as 'select 1';
      update schema_functions set checksum = 'older' where name = 'commit_change'`)
    const applied = await prepareDatabase({ target: as('app'), ownerTarget: as('owner') })
    expect(applied).toEqual(['functions/commit_change'])
    const app = open(as('app'))
    const change = { user_id: crypto.randomUUID(), at: '2026-01-01T00:00:00Z', events: [] }
    const [row] =
      await app`select commit_change(${app.json({ ...change, active_delta: 0, completed_delta: 0 })})`
    expect(row).toEqual({ commit_change: { outcome: 'applied', last_seq: 0 } })
    await expect(app`update schema_functions set checksum = 'x'`).rejects.toMatchObject({ code: '42501' })
  })
})

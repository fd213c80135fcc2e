import { describe, expect, it } from 'vitest'
import { AccountExport } from '../../shared/domain/auth/account-export.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { HOUR_MS } from '../../shared/domain/durations.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { fullAccount, rowsOf } from '../../testing/worlds/full-account.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { identityWorld, type Got } from '../../testing/worlds/identity-world.ts'
import exportMe from './export-me.ts'

const world = await identityWorld()
const { sql, deps } = world

const exported = (token: string): Promise<Got<AccountExport>> =>
  world.call<AccountExport>(exportMe, { token })

/** Where the rows of a table are in the export; null where they are not, and why. */
const PLACES: Record<string, ((all: AccountExport) => number) | null> = {
  tasks: ({ tasks }) => tasks.length,
  reminders: ({ tasks }) => tasks.flatMap(({ reminders }) => reminders).length,
  series: ({ series }) => series.length,
  occurrences: ({ occurrences }) => occurrences.length,
  notifications: ({ notifications }) => notifications.length,
  deliveries: ({ notifications }) => notifications.flatMap(({ deliveries }) => deliveries).length,
  notification_preferences: ({ preferences }) => preferences.version,
  push_subscriptions: (all) => all.push_subscriptions.length,
  sessions: ({ sessions }) => sessions.length,
  api_tokens: (all) => all.api_tokens.length,
  external_identities: (all) => all.external_identities.length,
  events: ({ events }) => events.length,
  audit_chains: null, // ends with the last of the entries
  audit_entries: null, // GET /api/audit/export
  audit_tree: null, // heads of chains, signed
  tags: null, // counted from the tasks
  user_counters: null, // the same
  outbox: null, // points at events
  dead_letters: null, // copies of events
  idempotency_keys: null, // answers of the last day
  tickets: null, // of 30 seconds
  password_resets: null, // of 30 minutes
  login_counts: null, // of attempts, by digests, for 30 days at most
  deleted_accounts: null,
}

describe('export-me', () => {
  it('holds the rows of every table, or says here why not', async () => {
    const user = await fullAccount(world)
    const { status, headers, body } = await exported(user.token)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(headers.get('content-disposition')).toBe('attachment; filename="daybook.json"')
    expect(AccountExport.parse(body)).toEqual(body)
    const rows = await rowsOf(world, user.id)
    expect(Object.keys(rows).toSorted()).toEqual(Object.keys(PLACES).toSorted())
    for (const [table, place] of Object.entries(PLACES))
      if (place) expect([table, place(body)]).toEqual([table, rows[table]])
    expect(body.account).toMatchObject({ id: user.id, email: user.email })
    expect(body.tasks.map(({ title }) => title).toSorted()).toEqual(['Forget me', 'Pay rent', 'Stretch'])
    expect(body.events.map(({ sequence }) => Number(sequence))).toEqual(
      Array.from({ length: body.events.length }, (_, index) => index + 1),
    )
    expect(body.events.at(-1)?.type).toBe('auth.account.exported')
  })

  it('holds no secret of ours', async () => {
    const user = await fullAccount(world)
    const [row] = await sql<{ secrets: string[] }[]>`
      select array(select seed from sessions where user_id = ${user.id}
        union all select token_digest from sessions where user_id = ${user.id}
        union all select password_hash from users where id = ${user.id}
        union all select digest from tickets where user_id = ${user.id}
        union all select digest from password_resets where user_id = ${user.id}) as secrets`
    const text = JSON.stringify((await exported(user.token)).body)
    expect(row!.secrets).toHaveLength(5)
    for (const secret of row!.secrets) expect(text).not.toContain(secret)
  })

  it('holds all of what takes many pages, each once and in order', async () => {
    const user = await fullAccount(world)
    await sql`insert into tasks (id, user_id, title, priority, tags, tag_keys, due_order, time_zone, position, repeat_from,
        version, created_at, updated_at, words, completed_at)
      select gen_random_uuid(), ${user.id}, 'Task ' || n, 1, '{}', '{}', 'infinity', 'UTC', n, 'due', 1,
        '2026-11-22T10:00:00Z', now(), '', case when n % 2 = 0 then now() end from generate_series(1, 450) n`
    await sql`insert into occurrences select s.id, timestamptz '2028-01-01' + n * interval '1 day', null, ${user.id}, 'missed', null, null
      from series s, generate_series(1, 1100) n where s.user_id = ${user.id}`
    await sql`insert into events (user_id, seq, id, type, dataversion, source, subject, time, data)
      select ${user.id}, 1000 + n, gen_random_uuid(), 'auth.logout', '2.0', '/services/auth', 'user/x', now(),
        jsonb_build_object('filler', repeat('x', 3000)) from generate_series(1, 800) n`
    const { tasks, occurrences, events } = (await exported(user.token)).body
    expect([new Set(tasks.map(({ id }) => id)).size, tasks.length]).toEqual([453, 453])
    expect(new Set(occurrences.map((one) => one.occurrence_at)).size).toBe(1101)
    const sequences = events.map(({ sequence }) => Number(sequence))
    expect([sequences.length, sequences]).toEqual([
      new Set(sequences).size,
      sequences.toSorted((a, b) => a - b),
    ])
    expect(sequences.at(-1)).toBe(1800)
  })

  it('holds each task once that changes sides meanwhile', async () => {
    const user = await fullAccount(world)
    await sql`insert into tasks (id, user_id, title, priority, tags, tag_keys, due_order, time_zone, position, repeat_from,
        version, created_at, updated_at, words, completed_at, deleted_at)
      select gen_random_uuid(), ${user.id}, 'Task ' || n, 1, '{}', '{}', 'infinity', 'UTC', n, 'due', 1, now(), now(), '',
        case when n % 3 = 1 then now() end, case when n % 3 = 2 then now() end from generate_series(1, 600) n`
    const all = await sql`select id from tasks where user_id = ${user.id} order by id`
    const seen: unknown[] = []
    for await (const { section, items } of deps.accounts.pagesOf(user.id)) {
      if (section !== 'tasks') break
      seen.push(...items.map((task) => ({ id: (task as { id: string }).id })))
      // Open, completed, deleted: each becomes the next one after every page.
      await sql`update tasks set deleted_at = case when completed_at is not null and deleted_at is null then now() end,
        completed_at = case when deleted_at is null and completed_at is null then now() end where user_id = ${user.id}`
    }
    expect(seen).toEqual([...all])
  })

  it('is not made, told of or counted for HEAD, which has the same headers', async () => {
    const user = await fullAccount(world)
    const before = await rowsOf(world, user.id)
    const head = async () =>
      await mountFunctions([exportMe], deps).request('/api/me/export', {
        method: 'HEAD',
        headers: { authorization: `Bearer ${user.token}` },
      })
    for (let nth = 0; nth < 6; nth += 1) expect((await head()).status).toBe(200)
    expect(await rowsOf(world, user.id)).toEqual(before)
    const { headers } = await exported(user.token)
    for (const name of ['content-type', 'content-disposition'])
      expect((await head()).headers.get(name)).toBe(headers.get(name))
  })

  it('is read as it is taken, and no further when nobody takes it', async () => {
    const user = await fullAccount(world)
    let pages = 0
    const accounts = {
      ...deps.accounts,
      async *pagesOf() {
        for (; pages < 1000; pages += 1) yield { section: 'events', items: [{ filler: 'x'.repeat(100_000) }] }
      },
    }
    const app = mountFunctions([exportMe], { ...deps, accounts })
    const answer = await app.request('/api/me/export', { headers: { authorization: `Bearer ${user.token}` } })
    const reader = answer.body!.getReader()
    await reader.read()
    await reader.read()
    expect(pages).toBeLessThan(10)
    await reader.cancel()
    expect(pages).toBeLessThan(10)
  })

  it('is made five times in an hour', async () => {
    const user = await fullAccount(world)
    const statuses: number[] = []
    for (let nth = 0; nth < 6; nth += 1) statuses.push((await exported(user.token)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
    world.clock.advance(HOUR_MS)
    expect((await exported((await openSession(world.deps, user.id)).token)).status).toBe(200)
  })

  it('takes a scope of its own, because it holds what belongs to the others', async () => {
    const { id } = await fullAccount(world)
    const { token } = await openSession(world.deps, id, { scopes: ['account:read'] })
    expect((await exported(token)).status).toBe(403)
  })

  it('is nothing for who has no account', async () => {
    expect((await exported(tokenOf(systemIds.uuid()))).status).toBe(401)
  })
})

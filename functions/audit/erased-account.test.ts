import { expect, it } from 'vitest'
import { eraseAccounts } from '../../shared/app/auth/account/erase-accounts.ts'
import { recordAudit } from '../../shared/app/audit/record-audit.ts'
import { makeCheckpoint } from '../../shared/app/audit/sign-checkpoint.ts'
import { verifyChain } from '../../shared/app/audit/verify-audit.ts'
import { DAY_MS } from '../../shared/domain/durations.ts'
import { fullAccount } from '../../testing/worlds/full-account.ts'
import { identityWorld } from '../../testing/worlds/identity-world.ts'
import deleteMe from '../auth/delete-me.ts'
import createTask from '../tasks/create-task.ts'

const world = await identityWorld()
const { deps, sql } = world

async function deleted(before: (id: string, token: string) => Promise<unknown>) {
  const { id, token, peer, password } = await fullAccount(world)
  await before(id, token)
  await world.call(deleteMe, { token, peer, json: { password } })
  await recordAudit(deps, id)
  return id
}

it('of a deleted account neither content nor salt is left, and the chain verifies up to its end', async () => {
  const id = await deleted(async () => {})
  const rows = await sql<
    { body: string | null; salt: Buffer | null; action: string | null; resource: string | null }[]
  >`
    select body, salt, action, resource from audit_entries where user_id = ${id} order by seq`
  const last = rows.at(-1)!
  for (const row of rows.slice(0, -1))
    expect(row).toEqual({ body: null, salt: null, action: null, resource: null })
  expect(last.action).toBe('auth.account.deleted')
  expect(last.body).not.toMatch(/2001:db8|example\.org/)
  const report = await verifyChain(deps.auditTrail, id)
  expect(report).toMatchObject({ fault: null, entries: rows.length, erased: rows.length - 1 })
  await makeCheckpoint(deps, 'cron/sign-checkpoint')
  expect(await verifyChain(deps.auditTrail, id)).toEqual(report)
  await sql`update audit_entries set at = at + interval '1 ms' where user_id = ${id} and seq = 2`
  expect((await verifyChain(deps.auditTrail, id))?.fault?.seq).toBe(2)
})

it('verifies where events were gone before they were recorded', async () => {
  const id = await deleted(async (_, token) =>
    world.call(createTask, { token, json: { title: 'Unrecorded' } }),
  )
  const places = await sql<
    { seq: number }[]
  >`select seq from audit_entries where user_id = ${id} order by seq desc limit 2`
  expect(places[0]!.seq - places[1]!.seq).toBeGreaterThan(1)
  expect(await verifyChain(deps.auditTrail, id)).toMatchObject({ fault: null })
})

it('is erased also of what was recorded late', async () => {
  const id = await deleted(async () => {})
  await sql`update audit_entries set body = '{}', salt = sha256(''), action = 'x', resource = 'x' where user_id = ${id} and seq = 1`
  await eraseAccounts(deps)
  world.clock.advance(2 * DAY_MS)
  await eraseAccounts(deps)
  expect(await sql`select 1 from audit_entries where user_id = ${id} and body is not null`).toHaveLength(1)
  expect(
    await sql`select 1 from deleted_accounts where user_id = ${id} and erased_at is not null`,
  ).toHaveLength(1)
})

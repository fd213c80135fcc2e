import { describe, expect, it } from 'vitest'
import { genesisOf } from '../../shared/domain/audit/chain.ts'
import { auditService } from '../../testing/worlds/audit-service.ts'
import type { Client } from '../../testing/worlds/task-service.ts'

const service = await auditService()
const { newUser, sql } = service

const verify = (user: Client) =>
  service.get<{
    valid: boolean
    entries: number
    last_seq: number
    fault: { seq: number; reason: string } | null
  }>(user, '/api/audit/verify')

async function userWith(entries: number): Promise<Client> {
  const user = newUser()
  for (let n = 0; n < entries; n += 1) await user.create()
  await service.record()
  return user
}

describe('verify-audit', () => {
  it('finds a trail whole and unchanged', async () => {
    const user = await userWith(3)
    expect(await verify(user)).toMatchObject({ valid: true, entries: 3, last_seq: 3, fault: null })
    expect(await verify(newUser())).toMatchObject({ valid: true, entries: 0, last_seq: 0 })
  })

  it.each([
    ['a changed content', `body = replace(body, 'Pay', 'Paz')`, 'the content is not what was recorded'],
    ['another salt', `salt = sha256(salt)`, 'the content is not what was recorded'],
    ['another leaf', `leaf = sha256(leaf)`, 'the content is not what was recorded'],
    ['another time', `at = at + interval '1 ms'`, 'the columns are not what the content says'],
    ['another action', `action = 'task.deleted'`, 'the columns are not what the content says'],
    ['another resource', `resource = 'task/x'`, 'the columns are not what the content says'],
    ['another hash', `hash = sha256(hash)`, 'the entry is not bound to those before it'],
    ['no content', `body = null, salt = null, action = null, resource = null`, 'the entry has no content'],
  ])('names the first entry with %s', async (_, change, reason) => {
    const user = await userWith(4)
    await sql.unsafe(`update audit_entries set ${change} where user_id = '${user.id}' and seq in (2, 3)`)
    expect(await verify(user)).toMatchObject({ valid: false, fault: { seq: 2, reason } })
  })

  it.each([
    ['from within', 2, 2, 2],
    ['from the beginning', 1, 2, 1],
    ['from the end', 3, 4, 3],
    ['all of them', 1, 4, 1],
  ])('misses entries that were removed %s', async (_, from, to, seq) => {
    const user = await userWith(4)
    await sql`delete from audit_entries where user_id = ${user.id} and seq between ${from} and ${to}`
    expect(await verify(user)).toMatchObject({ fault: { seq, reason: 'the entry is missing' } })
  })

  it('sees a tail that was cut with its head, once a checkpoint holds it', async () => {
    const user = await userWith(4)
    await service.signCheckpoint()
    await sql`delete from audit_entries where user_id = ${user.id} and seq > 2`
    await sql`delete from audit_chains where user_id = ${user.id}`
    await sql`
      insert into audit_chains (user_id, seq, hash, anchor_hash)
      select user_id, seq, hash, ${genesisOf(user.id)} from audit_entries where user_id = ${user.id} and seq = 2`
    expect((await verify(user)).fault).toEqual({
      seq: 4,
      reason: 'a checkpoint holds the entry, and it is missing',
    })
  })

  it('does not let a chain go back', async () => {
    const user = await userWith(2)
    await expect(sql`update audit_chains set seq = 1 where user_id = ${user.id}`).rejects.toThrow('go back')
  })
})

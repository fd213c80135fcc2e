import { expect, it } from 'vitest'
import { auditService } from '../../testing/worlds/audit-service.ts'

const service = await auditService()
const { newUser, sql } = service

it('removes what is older than it is kept, of what a checkpoint holds, and the trail still verifies', async () => {
  const [user, quiet] = [newUser(), newUser()]
  const places = async () =>
    (await sql<{ seq: number }[]>`select seq from audit_entries where user_id = ${user.id} order by seq`).map(
      ({ seq }) => seq,
    )
  const verify = () => service.get<object>(user, '/api/audit/verify')
  for (const instant of ['2026-03-02T08:00:00Z', '2026-06-02T08:00:00Z', '2026-09-02T08:00:00Z']) {
    service.at(instant)
    await user.create()
    await user.create()
    if (instant.startsWith('2026-03')) await quiet.create()
    await service.record()
    await service.signCheckpoint()
  }
  await user.create()
  await service.record()
  service.at('2027-03-02T07:59:59Z')
  await service.prune()
  expect(await places()).toEqual([1, 2, 3, 4, 5, 6, 7])
  service.at('2027-03-02T08:00:01Z')
  await service.prune()
  expect(await places()).toEqual([3, 4, 5, 6, 7])
  expect(await verify()).toMatchObject({ valid: true, entries: 5, first_seq: 3, last_seq: 7 })
  expect(await service.get<object>(quiet, '/api/audit/verify')).toMatchObject({
    valid: true,
    entries: 0,
    last_seq: 1,
  })
  service.at('2029-03-02T08:00:00Z')
  await Promise.all([service.prune(), service.prune()])
  // No checkpoint holds the last one.
  expect(await places()).toEqual([7])
  expect(await verify()).toMatchObject({ valid: true, entries: 1, first_seq: 7 })
  await user.create()
  await service.record()
  expect(await verify()).toMatchObject({ valid: true, last_seq: 8 })

  await sql`update audit_chains set anchor_seq = 7, anchor_hash = sha256(anchor_hash) where user_id = ${user.id}`
  await sql`delete from audit_entries where user_id = ${user.id} and seq = 7`
  expect(await verify()).toMatchObject({
    fault: { seq: 7, reason: 'no checkpoint holds the entry after which the trail begins' },
  })
})

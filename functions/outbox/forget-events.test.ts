import { describe, expect, it } from 'vitest'
import { recordAudit } from '../../shared/app/audit/record-audit.ts'
import { forgetEvents } from '../../shared/app/outbox/forget-events.ts'
import { publishPending } from '../../shared/app/outbox/publish-events.ts'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aChange, anEvent } from '../../testing/builders/a-task.ts'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { loadFunctions } from '../main.ts'

const { deps, sql, clock } = await testDaybook({ env: { KEEP_EVENTS_DAYS: '30' } })
const kept = async (userId: string) =>
  (await sql<{ seq: number }[]>`select seq from events where user_id = ${userId} order by seq`).map(
    ({ seq }) => seq,
  )

/** Each event so many days old. */
async function happened(daysAgo: number[], { published = true, audited = true } = {}): Promise<string> {
  const userId = systemIds.uuid()
  const time = (days: number) => new Date(clock.now().getTime() - days * 86_400_000)
  for (const days of daysAgo)
    await deps.changes.commit(
      aChange(userId, { events: [anEvent({ time: time(days), dataversion: '1.1' })] }),
    )
  if (published) await sql`delete from outbox where user_id = ${userId}`
  if (audited) await recordAudit(deps, userId)
  return userId
}

const app = mountFunctions(await loadFunctions(['outbox/forget-events']), deps)
const run = async () => {
  const answer = await app.request('/dapr/cron/forget-events-cron', { method: 'POST', ...asSidecar })
  expect(answer.status).toBe(204)
}

describe('forget-events', () => {
  it.each([
    [
      [40, 31, 29, 1],
      [3, 4],
    ],
    [[40, 40], []],
    [
      [1, 2],
      [1, 2],
    ],
    // A clock was put back: nothing behind what is still kept goes, so that there is no gap.
    [
      [40, 1, 40, 2],
      [2, 3, 4],
    ],
  ])('of events %s days old keeps %s', async (days, left) => {
    const userId = await happened(days)
    await run()
    await run()
    expect(await kept(userId)).toEqual(left)
    const { oldest, newest } = await deps.changeLog.after(userId, days.length, 1)
    expect([oldest, newest]).toEqual([left[0] ?? days.length + 1, days.length])
  })

  it('keeps what has no entry in the audit trail yet', async () => {
    const userId = await happened([40, 1], { audited: false })
    await run()
    expect(await kept(userId)).toEqual([1, 2])
    await recordAudit(deps, userId)
    await run()
    expect(await kept(userId)).toEqual([2])
  })

  it('keeps what is still to be published, and what comes after', async () => {
    const userId = await happened([40, 40], { published: false })
    await run()
    expect(await kept(userId)).toEqual([1, 2])
    await publishPending(deps)
    await run()
    expect(await kept(userId)).toEqual([])
  })

  it('takes many of one user, and many users, in batches', async () => {
    const userId = await happened([40])
    await sql`
      insert into events (user_id, seq, id, type, dataversion, source, subject, time, data)
      select ${userId}, n, gen_random_uuid(), 'task.updated', '1.1', '/x', 'task/1', ${clock.now()}::timestamptz - interval '40 days', '{}'
      from generate_series(2, 2500) n`
    await sql`update audit_chains set seq = 2500 where user_id = ${userId}`
    const others = await Promise.all(Array.from({ length: 210 }, () => happened([40, 1])))
    await run()
    expect(await kept(userId)).toEqual([])
    for (const other of others) expect(await kept(other)).toEqual([2])
  })

  it('looks at one event of who has nothing to forget, and goes on where one user fails', async () => {
    const [young, old, failing] = [await happened([2, 1]), await happened([40]), await happened([40])]
    const asked: string[] = []
    const changeLog: typeof deps.changeLog = {
      ...deps.changeLog,
      forget: async (before, userId, limit) => {
        asked.push(userId)
        if (userId === failing) throw new Error('in use')
        return await deps.changeLog.forget(before, userId, limit)
      },
    }
    await forgetEvents({ ...deps, changeLog })
    expect(asked).toEqual(expect.arrayContaining([old, failing]))
    expect(asked).not.toContain(young)
    expect([await kept(young), await kept(old), await kept(failing)]).toEqual([[1, 2], [], [1]])
  })

  it('keeps everything where it is not told for how long', async () => {
    const userId = await happened([4000])
    await forgetEvents({ ...deps, settings: { ...deps.settings, keepEventsDays: null } })
    expect(await kept(userId)).toEqual([1])
  })
})

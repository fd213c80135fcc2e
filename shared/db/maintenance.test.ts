import { describe, expect, it } from 'vitest'
import { testDatabase } from '../testing/database.ts'
import { createHousekeeping } from './maintenance.ts'

const sql = await testDatabase()
const NOW = new Date('2026-11-22T10:00:00.000Z')
const BATCH = 10
const limits = { marksBefore: NOW, deletedBefore: NOW, batch: BATCH }
const purge = () => createHousekeeping(sql).purge(NOW, limits)

describe('housekeeping', () => {
  it('removes sessions, tickets and counts of failed sign-ins after their time, a batch at a time', async () => {
    // Twelve of each that ended a millisecond ago, and one that ends now.
    await sql`insert into sessions (id, user_id, seed, token_digest, created_at, expires_at, version)
      select gen_random_uuid(), gen_random_uuid(), '', '', ${NOW}, ${NOW}::timestamptz - least(n, 1) * interval '1 ms', 1
      from generate_series(0, 12) n`
    await sql`insert into tickets (digest, user_id, purpose, actor, expires_at)
      select n::text, gen_random_uuid(), 'stream', '{}', ${NOW}::timestamptz - least(n, 1) * interval '1 ms'
      from generate_series(0, 12) n`
    await sql`insert into login_counts (key, count, resets_at)
      select n::text, 1, ${NOW}::timestamptz - least(n, 1) * interval '1 ms' from generate_series(0, 12) n`
    const left = async () => {
      const [row] = await sql<{ counts: number[] }[]>`select array[(select count(*) from sessions),
        (select count(*) from tickets), (select count(*) from login_counts)]::int[] as counts`
      return row?.counts
    }
    expect(await purge()).toBe(BATCH)
    expect(await left()).toEqual([3, 3, 3])
    expect(await purge()).toBe(2)
    expect(await left()).toEqual([1, 1, 1])
    expect(await purge()).toBe(0)
  })
})

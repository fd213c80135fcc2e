import { describe, expect, it } from 'vitest'
import { testDatabaseTarget } from '../testing/database.ts'
import { connect, socketUrl } from './connect.ts'

describe('connect', () => {
  it('reaches the same database by socket and by the URL of that socket', async () => {
    const target = await testDatabaseTarget()
    for (const named of [target, socketUrl(target)]) {
      const sql = connect(named, { max: 1, applicationName: 'test' })
      expect(await sql`select current_database() as name`).toEqual([{ name: target.database }])
      await sql.end()
    }
  })
})

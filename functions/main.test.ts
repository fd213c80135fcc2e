import { expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../shared/config.ts'
import { createLogger } from '../shared/observability/logger.ts'
import { obligingSidecar } from '../shared/testing/api-world.ts'
import { testDatabase } from '../shared/testing/database.ts'
import { runFunctions } from './main.ts'

it('a unit has its signing keys before it listens', async () => {
  const sql = await testDatabase()
  const log = createLogger({ level: 'silent', service: 'daybook' })
  const outside = { sql, log, sidecarFetch: obligingSidecar, appToken: 'of-the-sidecar' }
  const unit = await runFunctions(readConfig({ PORT: '0' }), outside, { names: ['auth/get-me'] })
  onTestFinished(unit.close)
  expect(await sql`select 1 from signing_keys`).toHaveLength(1)
})

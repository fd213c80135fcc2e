import { parseArgs } from 'node:util'
import { digestOf } from '../shared/app/auth/refresh-tokens.ts'
import { readConfig } from '../shared/config.ts'
import { connect } from '../shared/db/connect.ts'
import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { createIdentityStore } from '../shared/db/auth/identity-store.ts'
import { requireMigrated } from '../shared/db/migrate.ts'
import { MailAddress } from '../shared/domain/auth/identity.ts'
import { DAY_MS } from '../shared/domain/durations.ts'
import { explain } from '../shared/kit/process.ts'
import { systemClock, systemIds } from '../shared/kit/system.ts'

// `npm run invite [-- --email ada@example.org]`: a code with which one person may register while REGISTRATION=invite, in the
// database of DATABASE_URL or the embedded one.
const HOLDS_MS = 7 * DAY_MS
const CODE_BYTES = 16

try {
  const { values } = parseArgs({ options: { email: { type: 'string' } } })
  const email = values.email === undefined ? null : addressOf(values.email)
  const { database, dataDir, runtimeDir } = readConfig()
  const { target, stop } = database.url
    ? { target: database.url, stop: async () => {} }
    : await joinEmbeddedPostgres(dataDir, { runtimeDir })
  const sql = connect(target, { max: 1, applicationName: 'daybook-invite', prepare: database.prepare })
  try {
    await requireMigrated(sql)
    const now = systemClock.now()
    const code = `dbi_${systemIds.hex(CODE_BYTES)}`
    const expiresAt = new Date(now.getTime() + HOLDS_MS)
    await createIdentityStore(sql).addInvitation({ digest: digestOf(code), email, createdAt: now, expiresAt })
    process.stdout.write(`${code}\n`)
    const whom = email === null ? 'one account' : `the account of ${email}`
    process.stderr.write(
      `Good for ${whom}, as "invitation" of POST /api/auth/register, until ${expiresAt.toISOString()}.\n`,
    )
  } finally {
    await sql.end({ timeout: 5 })
    await stop()
  }
} catch (error) {
  process.stderr.write(`No invitation: ${explain(error)}\n`)
  process.exitCode = 1
}

function addressOf(text: string): string {
  const { data, error } = MailAddress.safeParse(text)
  if (error) throw new Error(`${text} is no mail address that could register`)
  return data
}

import { digestOf } from '../shared/app/auth/refresh-tokens.ts'
import { createIdentityStore } from '../shared/db/auth/identity-store.ts'
import { MailAddress } from '../shared/domain/auth/identity.ts'
import { DAY_MS } from '../shared/domain/durations.ts'
import { readArguments } from '../shared/arguments.ts'
import { explain } from '../shared/kit/process.ts'
import { systemClock, systemIds } from '../shared/kit/system.ts'
import { inDatabase } from './in-database.ts'

// `npm run invite [-- --email ada@example.org]`: a code with which one person may register while REGISTRATION=invite, in the
// database of DATABASE_URL or the embedded one.
const HOLDS_MS = 7 * DAY_MS
const CODE_BYTES = 16

const { values } = readArguments('npm run invite [-- --email ADDRESS]', {
  options: { email: { type: 'string' } },
})

try {
  const email = values.email === undefined ? null : addressOf(values.email)
  const now = systemClock.now()
  const code = `dbi_${systemIds.hex(CODE_BYTES)}`
  const expiresAt = new Date(now.getTime() + HOLDS_MS)
  const invitation = { digest: digestOf(code), email, createdAt: now, expiresAt }
  await inDatabase('daybook-invite', (sql) => createIdentityStore(sql).addInvitation(invitation))
  process.stdout.write(`${code}\n`)
  const whom = email === null ? 'one account' : `the account of ${email}`
  process.stderr.write(
    `Good for ${whom}, as "invitation" of POST /api/auth/register, until ${expiresAt.toISOString()}.\n`,
  )
} catch (error) {
  process.stderr.write(`No invitation: ${explain(error)}\n`)
  process.exitCode = 1
}

function addressOf(text: string): string {
  const { data, error } = MailAddress.safeParse(text)
  if (error) throw new Error(`${text} is no mail address that could register`)
  return data
}

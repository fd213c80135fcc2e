import type { ConnectionTarget } from '../shared/db/connect.ts'
import { createIdentityStore } from '../shared/db/auth/identity-store.ts'
import { readArguments } from '../shared/arguments.ts'
import { explain } from '../shared/kit/process.ts'
import { createKeyRing } from '../shared/identity/signing-keys.ts'
import { systemClock } from '../shared/kit/system.ts'
import { inDatabase } from './in-database.ts'

// `npm run keys:rotate`: a new signing key, in the database of DATABASE_URL or the embedded one.
readArguments('npm run keys:rotate', {})
try {
  await inDatabase('daybook-keys', async (sql, { target, dataDir }) => {
    const kid = await createKeyRing({ store: createIdentityStore(sql), clock: systemClock }).rotate()
    const place = describePlace(target, dataDir)
    process.stdout.write(
      `Key ${kid} in ${place} signs from now on; running processes use it within ten minutes.\n`,
    )
  })
} catch (error) {
  process.stderr.write(`No new key: ${explain(error)}\n`)
  process.exitCode = 1
}

/** Which database has the key, without user and password. */
function describePlace(target: ConnectionTarget, dataDir: string): string {
  if (typeof target !== 'string') return `the data of ${dataDir}`
  const { host, pathname, searchParams } = new URL(target)
  return `the database ${pathname.slice(1)} at ${searchParams.get('host') ?? host}`
}

import { readConfig } from '../shared/config.ts'
import { connect } from '../shared/db/connect.ts'
import { createDeadLetters } from '../shared/db/outbox/dead-letters.ts'
import { joinEmbeddedPostgres } from '../profiles/embedded/embedded-postgres.ts'
import { requireMigrated } from '../shared/db/migrate.ts'
import { explain } from '../shared/kit/process.ts'
import { systemClock } from '../shared/kit/system.ts'
import { carryOut } from './dlq/carry-out.ts'
import { readCommand, USAGE, UsageError, type Command } from './dlq/command.ts'

// `npm run dlq -- list | show <id> | replay <id> | discard <id>`: what consumers gave up on, see docs/dead-letters.md.
const say = (line: string) => void process.stdout.write(`${line}\n`)
const complain = (line: string) => void process.stderr.write(`${line}\n`)

try {
  const command = readCommand(process.argv.slice(2))
  if (command.name === 'help') say(USAGE)
  else process.exitCode = await inDatabase(command)
} catch (error) {
  const isMisunderstood = error instanceof UsageError
  complain(isMisunderstood ? `${error.message}\n\n${USAGE}` : `Nothing was done: ${explain(error)}`)
  process.exitCode = isMisunderstood ? 2 : 1
}

async function inDatabase(command: Exclude<Command, { name: 'help' }>): Promise<number> {
  const { database, dataDir, runtimeDir } = readConfig()
  const { target, stop } = database.url
    ? { target: database.url, stop: async () => {} }
    : await joinEmbeddedPostgres(dataDir, { runtimeDir })
  const sql = connect(target, { max: 1, applicationName: 'daybook-dlq', prepare: database.prepare })
  try {
    await requireMigrated(sql)
    return await carryOut(command, { letters: createDeadLetters(sql), now: systemClock.now(), say, complain })
  } finally {
    await sql.end({ timeout: 5 })
    await stop()
  }
}

import { createDeadLetters } from '../shared/db/outbox/dead-letters.ts'
import { explain } from '../shared/kit/process.ts'
import { systemClock } from '../shared/kit/system.ts'
import { carryOut } from './dlq/carry-out.ts'
import { readCommand, USAGE, UsageError } from './dlq/command.ts'
import { inDatabase } from './in-database.ts'

// `npm run dlq -- list | show <id> | replay <id> | discard <id>`: what consumers gave up on, see docs/dead-letters.md.
const say = (line: string) => void process.stdout.write(`${line}\n`)
const complain = (line: string) => void process.stderr.write(`${line}\n`)

try {
  const command = readCommand(process.argv.slice(2))
  if (command.name === 'help') say(USAGE)
  else {
    process.exitCode = await inDatabase('daybook-dlq', (sql) =>
      carryOut(command, { letters: createDeadLetters(sql), now: systemClock.now(), say, complain }),
    )
  }
} catch (error) {
  const isMisunderstood = error instanceof UsageError
  complain(isMisunderstood ? `${error.message}\n\n${USAGE}` : `Nothing was done: ${explain(error)}`)
  process.exitCode = isMisunderstood ? 2 : 1
}

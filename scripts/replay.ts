import { readArguments } from '../shared/arguments.ts'
import { usersWithEvents } from '../shared/db/replay/users-with-events.ts'
import { replayUser } from '../shared/db/replay/replay-user.ts'
import { explain } from '../shared/kit/process.ts'
import { systemClock } from '../shared/kit/system.ts'
import { inDatabase } from './in-database.ts'

// `npm run replay -- --verify`: makes all rows anew from the events, user by user, in the database of DATABASE_URL or the embedded one,
// and compares them with the tables. `--apply` makes the tables what the events say. `--from`, `--to`: only users who did
// something in that time. `--after ID` goes on behind a user, where a run was interrupted.
const USAGE =
  'npm run replay -- --verify | --apply [--from INSTANT] [--to INSTANT] [--after USER | --user USER]'
const { values } = readArguments(USAGE, {
  options: {
    verify: { type: 'boolean', default: false },
    apply: { type: 'boolean', default: false },
    from: { type: 'string' },
    to: { type: 'string' },
    after: { type: 'string' },
    user: { type: 'string' },
  },
})
if (values.verify === values.apply) {
  process.stderr.write(`Usage: ${USAGE}\n`)
  process.exit(1)
}

const MAX_TOLD = 20
const startedAt = performance.now()
let last = values.after ?? null
let isStopping = false
process.once('SIGINT', () => (isStopping = true))

try {
  const differences = await inDatabase('daybook-replay', async (sql) => {
    const range = { from: instantOf(values.from), to: instantOf(values.to), user: values.user ?? null }
    const { events: all, users } = await usersWithEvents(sql, range, last)
    const total = { events: 0, users: 0, differences: 0, applied: 0 }
    const progress = progressBar(all)
    for await (const userId of users) {
      if (isStopping) break
      const onEvents = (count: number) => progress((total.events += count))
      const now = systemClock.now()
      const { differences: found, applied } = await replayUser(sql, userId, {
        now,
        apply: values.apply,
        onEvents,
      })
      for (const difference of found.slice(0, Math.max(0, MAX_TOLD - total.differences))) {
        process.stderr.write(`${difference}\n`)
      }
      total.users += 1
      total.differences += found.length
      total.applied += applied
      last = userId
    }
    const rate = Math.round((total.events / (performance.now() - startedAt)) * 1000)
    const applied = values.apply ? `, ${total.applied} rows applied` : ''
    process.stdout.write(
      `${total.events} events of ${total.users} users replayed (${rate}/s), ${total.differences} tables differ${applied}.\n`,
    )
    return total.differences
  })
  if (isStopping) process.stdout.write(`Interrupted; --after ${last ?? ''} goes on.\n`)
  process.exitCode = differences > 0 && !values.apply ? 2 : 0
} catch (error) {
  process.stderr.write(
    `Not replayed: ${explain(error)}${last === null ? '' : ` (--after ${last} goes on)`}\n`,
  )
  process.exitCode = 1
}

function instantOf(text: string | undefined): Date | null {
  if (text === undefined) return null
  const instant = new Date(text)
  if (Number.isNaN(instant.getTime())) throw new Error(`${text} is no instant, such as 2027-03-15T08:00:00Z`)
  return instant
}

/** Events so far, how many a second, and how long the rest takes; once a second, on a terminal. */
function progressBar(all: number): (done: number) => void {
  let told = startedAt
  return (done) => {
    const now = performance.now()
    if (!process.stderr.isTTY || now - told < 1000) return
    told = now
    const rate = done / ((now - startedAt) / 1000)
    const share = Math.min(1, done / Math.max(1, all))
    const bar = '█'.repeat(Math.round(share * 30)).padEnd(30, '░')
    const rest = Math.max(0, Math.round((all - done) / rate))
    process.stderr.write(
      `\r${bar} ${Math.floor(share * 100)} %, ${Math.round(rate)} events/s, ${rest} s left `,
    )
  }
}

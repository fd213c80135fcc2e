import { DAY_MS } from '../../domain/durations.ts'
import type { Deps } from '../ports.ts'

const USERS = 200
/** In one statement. */
const EVENTS = 1000

/** Removes events that are older than they have to be kept, of everybody, in batches. */
export async function forgetEvents({
  changeLog,
  clock,
  log,
  settings,
}: Pick<Deps, 'changeLog' | 'clock' | 'log' | 'settings'>): Promise<void> {
  if (settings.keepEventsDays === null) return
  const before = new Date(clock.now().getTime() - settings.keepEventsDays * DAY_MS)
  let forgotten = 0
  for (let after: string | null = null; ;) {
    const { users, last } = await changeLog.outdated(before, after, USERS)
    for (const userId of users) {
      try {
        for (let gone = EVENTS; gone === EVENTS; forgotten += gone)
          gone = await changeLog.forget(before, userId, EVENTS)
      } catch (err) {
        log.warn({ err, userId }, 'failed to forget events of a user; the next run tries again')
      }
    }
    if (last === null) break
    after = last
  }
  if (forgotten > 0) log.info({ forgotten }, 'removed events that were kept long enough')
}

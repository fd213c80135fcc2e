import { DAY_MS } from '../../domain/durations.ts'
import type { Deps } from '../ports.ts'

const USERS = 200
/** Of one user in one statement. */
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
    const batch = await changeLog.forget(before, { after, users: USERS, events: EVENTS })
    forgotten += batch.forgotten
    if (batch.last === null) break
    if (!batch.isMore) after = batch.last
  }
  if (forgotten > 0) log.info({ forgotten }, 'removed events that were kept long enough')
}

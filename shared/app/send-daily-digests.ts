import { decideDailyDigest, MOST_LINES, type DailyDigest } from '../domain/digest.ts'
import { civilDate, lastSecondOfDay } from '../domain/wall-clock.ts'
import { toChange } from './commit-decision.ts'
import type { Deps } from './ports.ts'
import type { DueDigest } from './reminder-ports.ts'

const LEASE_MS = 30_000
const BATCH = 20

type Digesting = Pick<Deps, 'changes' | 'clock' | 'ids' | 'log' | 'publishing' | 'deliveries' | 'tasks'>

/** Makes every digest of the day that is due, and sets when the next one comes in the same commit. */
export async function sendDailyDigests(deps: Digesting): Promise<number> {
  for (let done = 0; ;) {
    const now = deps.clock.now()
    const leaseUntil = new Date(now.getTime() + LEASE_MS)
    const due = await deps.deliveries.claimDigests({ now, leaseUntil, limit: BATCH })
    const sent = await Promise.all(due.map((one) => sendOne(deps, one, now)))
    done += sent.filter(Boolean).length
    if (due.length < BATCH) return done
  }
}

async function sendOne(deps: Digesting, due: DueDigest, now: Date): Promise<boolean> {
  try {
    return await send(deps, await withTasks(deps, due, now), now)
  } catch (err) {
    // One that cannot be made must not keep the others waiting; it is tried again when its lease ends.
    deps.log.error({ err, user_id: due.audience.userId }, 'a digest of the day could not be made')
    return false
  }
}

async function withTasks(deps: Digesting, due: DueDigest, now: Date): Promise<DailyDigest> {
  const { userId, timeZone } = due.audience
  const endOfDay = lastSecondOfDay(civilDate(now, timeZone), timeZone)
  const { items, total } = await deps.tasks.list(userId, {
    ...{
      q: null,
      status: 'active',
      priorities: [],
      tags: [],
      tagsMode: 'all',
      isRecurring: null,
      parentId: null,
    },
    ...{ dueAfter: null, dueBefore: new Date(endOfDay.getTime() + 1000) },
    ...{ sortBy: 'priority', sortOrder: 'desc', page: 1, limit: MOST_LINES, cursor: null },
  })
  return { ...due, tasks: items, total }
}

async function send(deps: Digesting, digest: DailyDigest, now: Date): Promise<boolean> {
  const { userId } = digest.audience
  const actor = { type: 'system' as const, id: 'notifications', on_behalf_of: userId }
  const commit = async (tasks: DailyDigest['tasks']) => {
    const decision = decideDailyDigest({ ...digest, tasks }, { now, newId: deps.ids.uuid })
    return deps.changes.commit(toChange(deps, { userId, actor, now, trace: null }, decision))
  }
  const { outcome } = await commit(digest.tasks)
  // The day has had its digest, at a time that the user has changed since; or somebody else was quicker.
  if (outcome === 'conflict') await commit([])
  if (outcome !== 'applied') return false
  deps.publishing.wake()
  return true
}

import type { MadeBy } from '../../domain/actor.ts'
import { decideDailyDigest, MAX_LINES, type DailyDigest } from '../../domain/notifications/digest.ts'
import { civilDate, lastSecondOfDay } from '../../domain/recurrence/wall-clock.ts'
import { systemOrigin, toChange } from '../commit-decision.ts'
import { newClaim } from '../new-claim.ts'
import type { Deps } from '../ports.ts'
import type { DueDigest } from './ports.ts'

const LEASE_MS = 30_000
const BATCH = 20

type Digesting = Pick<Deps, 'changes' | 'clock' | 'ids' | 'log' | 'publishing' | 'deliveries' | 'tasks'>

/** Makes every digest of the day that is due, and sets when the next one comes in the same commit. */
export async function sendDailyDigests(deps: Digesting, madeBy: MadeBy): Promise<number> {
  for (let done = 0; ;) {
    const claim = newClaim(deps, LEASE_MS, BATCH)
    const due = await deps.deliveries.claimDigests(claim)
    const sent = await Promise.all(due.map((one) => sendOne(deps, one, { now: claim.now, madeBy })))
    done += sent.filter(Boolean).length
    if (due.length < BATCH) return done
  }
}

interface Run {
  now: Date
  madeBy: MadeBy
}

async function sendOne(deps: Digesting, due: DueDigest, run: Run): Promise<boolean> {
  try {
    return await send(deps, await withTasks(deps, due, run.now), run)
  } catch (err) {
    // One that cannot be made must not keep the others waiting; it is tried again when its lease ends.
    deps.log.error({ err, user_id: due.audience.userId }, 'failed to create daily digest')
    return false
  }
}

async function withTasks(deps: Digesting, due: DueDigest, now: Date): Promise<DailyDigest> {
  const { userId, timeZone } = due.audience
  const endOfDay = lastSecondOfDay(civilDate(now, timeZone), timeZone)
  const { items, total } = await deps.tasks.list(userId, {
    q: null,
    status: 'active',
    priorities: [],
    tags: [],
    tagsMode: 'all',
    isRecurring: null,
    parentId: null,
    isTopLevel: false,
    due: null,
    completedAfter: null,
    completedBefore: null,
    dueAfter: null,
    dueBefore: new Date(endOfDay.getTime() + 1000),
    sortBy: 'priority',
    sortOrder: 'desc',
    page: null,
    limit: MAX_LINES,
    cursor: null,
  })
  return { ...due, tasks: items, total }
}

async function send(deps: Digesting, digest: DailyDigest, { now, madeBy }: Run): Promise<boolean> {
  const origin = systemOrigin('notifications', { userId: digest.audience.userId, now, madeBy })
  const commit = async (tasks: DailyDigest['tasks']) => {
    const decision = decideDailyDigest({ ...digest, tasks }, { now, newId: deps.ids.uuid })
    return deps.changes.commit(toChange(deps, origin, decision))
  }
  const { outcome } = await commit(digest.tasks)
  // The day has had its digest, at a time that the user has changed since; or somebody else was quicker.
  if (outcome === 'conflict') await commit([])
  if (outcome !== 'applied') return false
  deps.publishing.wake()
  return true
}

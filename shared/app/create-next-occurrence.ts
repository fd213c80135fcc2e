import type { TraceContext } from '../domain/actor.ts'
import type { Maker } from '../domain/events.ts'
import { lastStep } from '../domain/last-occurrence.ts'
import { decideNextOccurrence, type SeriesState } from '../domain/next-occurrence.ts'
import { toChange, type Origin } from './commit-decision.ts'
import type { Change, CommitResult, Deps, NextOccurrences } from './ports.ts'
import { recentOccurrences } from './recent-occurrences.ts'

export interface NextOccurrenceRequest {
  userId: string
  seriesId: string
  trace: TraceContext | null
  madeBy: Maker
  /** How the effect is committed: with a consumer's dedupe mark, or plainly from the sweep. */
  commit: (change: Change) => Promise<CommitResult>
}

const ATTEMPTS = 5

type Making = Pick<Deps, 'changes' | 'clock' | 'ids' | 'publishing'>

/**
 * Gives a series its next occurrence if it has none; the decision is made from the rows, so it does not matter how
 * often, how late or in which order this is asked. Resolves to whether this call made one (or ended the series).
 */
export async function createNextOccurrence(deps: Making, request: NextOccurrenceRequest): Promise<boolean> {
  const origin: Origin = {
    userId: request.userId,
    actor: { type: 'system', id: 'recurrence', on_behalf_of: request.userId },
    now: deps.clock.now(),
    trace: request.trace,
  }
  let seen: number | undefined
  let wanted: Date[] = []
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const state = await loadState(deps, request, origin.now)
    if (state?.series.version !== seen) wanted = []
    seen = state?.series.version
    const { now } = origin
    const newId = () => deps.ids.uuid()
    const context = { taskId: newId(), newId, now, madeBy: request.madeBy }
    const decision = state && decideNextOccurrence({ ...state, refused: wanted }, context)
    if (!decision) return false
    const { outcome } = await request.commit(toChange(deps, origin, decision))
    if (outcome === 'applied') deps.publishing.wake()
    if (outcome !== 'conflict') return outcome === 'applied'
    // A series that is unchanged after a conflict was refused an instant: it is taken, so the next decision goes past it.
    wanted.push(...(decision.newOccurrences ?? []).map(({ occurrenceAt }) => occurrenceAt))
  }
  throw new Error('the series kept changing; the message will be delivered again')
}

/** Makes the occurrences of events in this process. */
export const ownNextOccurrences = (deps: Making): NextOccurrences => ({
  create: async ({ mark, ...request }) => {
    const commit = (change: Change) => deps.changes.commit({ ...change, processed: mark })
    await createNextOccurrence(deps, { ...request, madeBy: 'event', commit })
  },
})

async function loadState(
  { changes }: Making,
  { userId, seriesId }: NextOccurrenceRequest,
  now: Date,
): Promise<SeriesState | null> {
  const series = await changes.loadSeries(userId, seriesId)
  if (!series || series.state !== 'active' || series.liveTaskId !== null) return null
  const recent = await recentOccurrences(changes, series)
  const lastId = lastStep(series, recent)?.taskId
  const found = lastId ? await changes.loadTask(userId, lastId, null, now) : null
  const last = found?.task ? { task: found.task, reminders: found.reminders } : null
  return { series, recent, last }
}

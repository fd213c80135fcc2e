import type { ActorView, TraceContext } from '../domain/actor.ts'
import type { Decision } from '../domain/decision.ts'
import { DomainError } from '../domain/errors.ts'
import { draftEvent } from '../domain/events.ts'
import { tagKey, type Task } from '../domain/task.ts'
import type { Answer, Change, ChangeStore, Deps, TagDelta, WriteContext } from './ports.ts'

const KEEP_ANSWERS_MS = 24 * 60 * 60 * 1000

/** On whose behalf, when and in which trace a decision is committed. */
export interface Origin {
  userId: string
  actor: ActorView
  now: Date
  trace: TraceContext | null
}

export const originOf = (write: WriteContext): Origin => ({
  ...{ userId: write.actor.userId, actor: write.actor.view, now: write.now, trace: write.trace },
})

/** The rows and events of a decision, with the changes of the user's counters that follow from them. */
export function toChange(deps: Pick<Deps, 'ids'>, origin: Origin, decision: Decision): Change {
  const { facts, changedTasks = [], ...rows } = decision
  const pairs: [Task | null, Task][] = [
    ...(rows.newTasks ?? []).map((after): [null, Task] => [null, after]),
    ...changedTasks.map(({ before, after }): [Task, Task] => [before, after]),
  ]
  return {
    ...rows,
    changedTasks: changedTasks.map(({ after }) => after),
    userId: origin.userId,
    at: origin.now,
    ...countDeltas(pairs),
    events: facts.map(({ definition, subject, data }) =>
      draftEvent(definition, {
        ...{ id: deps.ids.uuid(), subject, time: origin.now, trace: origin.trace },
        data: { ...data, actor: origin.actor } as never,
      }),
    ),
  }
}

/** One change of the user's counters for every task that comes, goes or changes sides. */
function countDeltas(
  pairs: [Task | null, Task][],
): Pick<Change, 'activeDelta' | 'completedDelta' | 'tagDeltas'> {
  const totals = { activeDelta: 0, completedDelta: 0 }
  const tags = new Map<string, TagDelta>()
  const count = (task: Task | null, by: 1 | -1) => {
    if (!task || task.deletedAt) return
    const side = task.completedAt ? 'completed' : 'active'
    totals[`${side}Delta`] += by
    for (const label of task.tags) {
      const key = tagKey(label)
      const delta = tags.get(key) ?? { key, label, active: 0, completed: 0 }
      delta[side] += by
      tags.set(key, delta)
    }
  }
  for (const [before, after] of pairs) {
    count(before, -1)
    count(after, 1)
  }
  const tagDeltas = [...tags.values()].filter((delta) => delta.active !== 0 || delta.completed !== 0)
  return { ...totals, tagDeltas: tagDeltas.toSorted((a, b) => (a.key < b.key ? -1 : 1)) }
}

/**
 * Runs load–decide–commit without a lock; when another write of the user came in between (`conflict`), once more with
 * the user's writes held back, so that it cannot lose twice. A decision that rests on more rows than it changes asks to
 * hold them back from the beginning.
 */
export async function withoutConflict<T>(
  deps: Pick<Deps, 'changes' | 'publishing'>,
  userId: string,
  work: (store: ChangeStore) => Promise<T | 'conflict'>,
  options: { isExclusive?: boolean } = {},
): Promise<T> {
  const first = options.isExclusive ? 'conflict' : await work(deps.changes)
  if (first !== 'conflict') return first
  const second = await deps.changes.exclusively(userId, work)
  // What woke the publisher within the transaction woke it too early to see the events.
  deps.publishing.wake()
  if (second !== 'conflict') return second
  throw new DomainError('task.conflict', 'This collides with another occurrence of the series.')
}

/** Commits a request's decision together with the answer that a retry of the same request gets. */
export async function commitWrite<Body>(
  deps: Deps,
  store: ChangeStore,
  write: WriteContext,
  { decision, body }: { decision: Decision; body: Body },
): Promise<Answer<Body> | 'conflict'> {
  const change = toChange(deps, originOf(write), decision)
  if (write.idempotency) {
    const expiresAt = new Date(write.now.getTime() + KEEP_ANSWERS_MS)
    change.idempotency = { ...write.idempotency, answer: body, expiresAt }
  } else if (change.events.length === 0 && !decision.movedTasks?.length && !decision.preferences) {
    return { body }
  }
  const result = await store.commit(change)
  switch (result.outcome) {
    case 'applied':
      deps.publishing.wake()
      return { body }
    case 'replayed':
      return { body: result.answer as Body, replayed: true }
    case 'conflict':
      return 'conflict'
    case 'in_flight':
      throw new DomainError(
        'idempotency.in_flight',
        'The first request with this Idempotency-Key is still running.',
        {
          retryAfterSeconds: 1,
        },
      )
    case 'key_reused':
      throw keyReused()
    case 'already_processed':
      throw new Error('a request carries no dedupe mark')
  }
}

export const keyReused = (): DomainError =>
  new DomainError('idempotency.key_reused', 'This Idempotency-Key belongs to another request.')

/** Looks for the stored answer before anything is decided, for writes that load no task first. */
export async function replayStored<Body>(
  store: ChangeStore,
  write: WriteContext,
): Promise<Answer<Body> | null> {
  if (!write.idempotency) return null
  return replay(await store.storedAnswer(write.actor.userId, write.idempotency.key, write.now), write)
}

/** The stored answer of an earlier attempt, or a refusal when its key was used for another request. */
export function replay<Body>(
  stored: { fingerprint: string; answer: unknown } | null,
  write: WriteContext,
): Answer<Body> | null {
  if (!stored) return null
  if (stored.fingerprint !== write.idempotency?.fingerprint) throw keyReused()
  return { body: stored.answer as Body, replayed: true }
}

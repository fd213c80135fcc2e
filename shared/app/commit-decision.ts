import { fromClient, systemActor, type ActorView, type MadeBy, type TraceContext } from '../domain/actor.ts'
import { seriesToldWith, type Decision, type Fact } from '../domain/decision.ts'
import { DAY_MS } from '../domain/durations.ts'
import { DomainError } from '../domain/errors.ts'
import { draftEvent } from '../domain/draft-event.ts'
import { checkBytes, limitsOf, quotaExceeded, type Limits } from '../domain/quotas.ts'
import { seriesView } from '../domain/recurrence/series.ts'
import { tagKey, type Task } from '../domain/tasks/task.ts'
import type { Answer, Change, ChangeStore, Deps, StoredAnswer, WriteContext } from './ports.ts'
import type { TagDelta } from './tasks/ports.ts'

export type Writing = Pick<Deps, 'changes' | 'publishing' | 'ids' | 'settings'>

export const KEEP_ANSWERS_MS = DAY_MS

export interface Origin {
  userId: string
  actor: ActorView
  now: Date
  trace: TraceContext | null
}

export const originOf = (write: WriteContext): Origin => ({
  userId: write.actor.userId,
  actor: fromClient(write.actor.view, write.client),
  now: write.now,
  trace: write.trace,
})

/** Of what a service of Daybook does for a user without being asked. */
export const systemOrigin = (
  service: string,
  {
    userId,
    now,
    trace = null,
    madeBy,
  }: Omit<Origin, 'actor' | 'trace'> & {
    trace?: TraceContext | null
    madeBy: MadeBy
  },
): Origin => ({ userId, now, trace, actor: { ...systemActor(service, userId), made_by: madeBy } })

/** The rows and events of a decision, with the changes of the user's counters that follow from them. */
export function toChange(deps: Pick<Deps, 'ids'>, origin: Origin, decision: Decision): Change {
  const {
    facts,
    changedTasks = [],
    newNotifications = [],
    shownNotifications = [],
    readNotifications = [],
    ...rows
  } = decision
  const withIndex = ({ id, shownBy }: { id: string; shownBy: Fact }) => ({
    id,
    fact: indexOf(facts, shownBy),
  })
  const pairs: [Task | null, Task][] = [
    ...(rows.newTasks ?? []).map((after): [null, Task] => [null, after]),
    ...changedTasks.map(({ before, after }): [Task, Task] => [before, after]),
  ]
  const toldWith = seriesToldWith(decision)
  const told = (fact: Fact) => {
    const series = toldWith.get(fact)
    return { ...fact.data, ...(series && { series: seriesView(series) }), actor: origin.actor }
  }
  return {
    ...rows,
    changedTasks: changedTasks.map(({ after }) => after),
    newNotifications: newNotifications.map(({ notification, shownBy }) => {
      return { notification, fact: shownBy && indexOf(facts, shownBy) }
    }),
    shownNotifications: shownNotifications.map(withIndex),
    readNotifications: readNotifications.map(withIndex),
    userId: origin.userId,
    at: origin.now,
    ...countDeltas(pairs),
    events: facts.map((fact) =>
      draftEvent(fact.definition, {
        id: deps.ids.uuid(),
        subject: fact.subject,
        time: origin.now,
        trace: origin.trace,
        data: told(fact),
      }),
    ),
  }
}

function indexOf(facts: readonly Fact[], fact: Fact): number {
  const index = facts.indexOf(fact)
  if (index < 0) throw new TypeError('a notification is shown by a fact that is not recorded')
  return index
}

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

/** Changes nothing, and rests on nothing that may be another by now. */
const isEmpty = ({ facts, movedTasks = [], unchangedTasks = [], preferences }: Decision): boolean =>
  facts.length === 0 && movedTasks.length === 0 && unchangedTasks.length === 0 && !preferences

/** Commits a request's decision together with the answer that a retry of the same request gets. */
export async function commitWrite<Body>(
  deps: Writing,
  store: ChangeStore,
  write: WriteContext,
  { decision, body }: { decision: Decision; body: Body },
): Promise<Answer<Body> | 'conflict'> {
  const limits = limitsFor(deps, write, decision)
  const change = { ...toChange(deps, originOf(write), decision), limits }
  if (write.idempotency) {
    const { key, fingerprint, keepMs = KEEP_ANSWERS_MS } = write.idempotency
    const expiresAt = new Date(write.now.getTime() + keepMs)
    change.idempotency = { key, fingerprint, answer: body, expiresAt }
  } else if (isEmpty(decision)) {
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
    case 'account_deleted':
      throw accountGone()
    case 'over_limit':
      throw quotaExceeded(result.limited, limits)
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

function limitsFor({ settings }: Pick<Deps, 'settings'>, write: WriteContext, decision: Decision): Limits {
  const { newTasks = [], changedTasks = [], series, newReminders = [], changedReminders = [] } = decision
  for (const task of newTasks) checkBytes(null, task, settings.quotas)
  for (const { before, after } of changedTasks) checkBytes(before, after, settings.quotas)
  return limitsOf(settings.quotas, {
    makesTasks: newTasks.length > 0,
    isFollowed: series?.state === 'active' && series.liveTaskId === null,
    setsReminders: [...newReminders, ...changedReminders].some(({ fireAt }) => fireAt !== null),
    keepsAnswer: write.idempotency !== null,
  })
}

export const accountGone = (): DomainError =>
  new DomainError('auth.invalid_token', 'The account of this token no longer exists.')

const keyReused = (): DomainError =>
  new DomainError('idempotency.key_reused', 'This Idempotency-Key was used for another request.')

/** Looks for the stored answer before anything is decided, for writes that load nothing first. */
export async function replayStored<Body>(
  store: ChangeStore,
  write: WriteContext,
): Promise<Answer<Body> | null> {
  if (!write.idempotency) return null
  return replay(await store.storedAnswer(write.actor.userId, write.idempotency.key, write.now), write)
}

/** The stored answer of an earlier attempt, or a refusal when its key was used for another request. */
export function replay<Body>(stored: StoredAnswer | null, write: WriteContext): Answer<Body> | null {
  if (!stored) return null
  if (stored.fingerprint !== write.idempotency?.fingerprint) throw keyReused()
  return { body: stored.answer as Body, replayed: true }
}

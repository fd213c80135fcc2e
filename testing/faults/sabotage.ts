import sweepSeries from '../../functions/recurrence/sweep-series.ts'
import { toChange } from '../../shared/app/commit-decision.ts'
import { recentOccurrences } from '../../shared/app/recurrence/recent-occurrences.ts'
import type { Change, Deps } from '../../shared/app/ports.ts'
import type { RecordedEvent } from '../../shared/domain/cloud-event.ts'
import { OccurrenceSkipped, TaskCompleted } from '../../shared/domain/events.ts'
import { decideNextOccurrence, type SeriesState } from '../../shared/domain/recurrence/next-occurrence.ts'
import { topicFunction } from '../../shared/kit/topic-function.ts'
import type { Sabotage } from './process.ts'

/** A Daybook that is broken in one way, and the promise that the oracle must find broken. */
export interface BrokenProduct {
  flaw: string
  rule: string
  sabotage: Sabotage
}

export const BROKEN_PRODUCTS: readonly BrokenProduct[] = [
  {
    flaw: 'the broker loses what it has accepted',
    rule: 'every event is published',
    sabotage: {
      ports: ({ broker }, { random }) => ({
        broker: {
          ...broker,
          publishAll: (topic, events) =>
            broker.publishAll(
              topic,
              events.filter(() => !random.chance(0.2)),
            ),
        },
      }),
    },
  },
  {
    flaw: 'the broker takes events behind one that it has refused, several of a user in a call',
    rule: 'published in sequence',
    sabotage: {
      ports: ({ broker }, { random }) => ({
        broker: {
          eventsPerUser: 3,
          publishAll: async (topic, events) => {
            const refused = events.filter(() => random.chance(0.2)).map(({ id }) => id)
            const rest = await broker.publishAll(
              topic,
              events.filter(({ id }) => !refused.includes(id)),
            )
            return new Set([...refused, ...rest])
          },
        },
      }),
    },
  },
  {
    flaw: 'the consumer has neither dedupe nor a look at the series',
    rule: 'one open occurrence',
    sabotage: { functions: replaceConsumer((state) => ({ ...state, series: asIfWaiting(state) })) },
  },
  {
    flaw: 'the consumer forgets that time has passed',
    rule: 'dates follow the rule',
    sabotage: {
      functions: replaceConsumer((state) => ({
        ...state,
        recent: state.recent.map((one) => ({ ...one, closedAt: one.closedAt && one.occurrenceAt })),
      })),
    },
  },
  {
    flaw: 'the consumer says that it is done before it is',
    rule: 'the event makes the next occurrence',
    sabotage: { answersEarly: true, chaos: { kill: 0.1, duplicate: 0 } },
  },
  {
    flaw: 'nobody sweeps',
    rule: 'one open task per active series',
    sabotage: {
      functions: (functions) => functions.filter((fn) => fn !== sweepSeries),
      chaos: { lostConnection: 0.15, deadLetter: 1, duplicate: 0, lostAck: 0 },
    },
  },
  {
    flaw: 'the publisher forgets events before the broker has them',
    rule: 'every event is published',
    sabotage: {
      ports: ({ outbox }) => ({
        outbox: {
          ...outbox,
          drain: async (limit, publish) => {
            let claimed: RecordedEvent[] = []
            const result = await outbox.drain(limit, async (events) => (claimed = events))
            await publish(claimed)
            return result
          },
        },
      }),
    },
  },
  {
    flaw: 'the publisher takes the newest first',
    rule: 'published in sequence',
    sabotage: {
      ports: ({ outbox }) => ({
        outbox: {
          ...outbox,
          drain: (limit, publish) => outbox.drain(limit, (events) => publish(events.toReversed())),
        },
      }),
    },
  },
  {
    flaw: 'Idempotency-Key is ignored',
    rule: 'an accepted write happens once',
    sabotage: { ports: changeCommits(({ idempotency: _key, ...change }) => [change]) },
  },
  {
    flaw: 'rows and events are written one after the other',
    rule: 'tasks are what their events say',
    sabotage: {
      ports: changeCommits((change) => [
        { ...change, events: [] },
        { userId: change.userId, at: change.at, activeDelta: 0, completedDelta: 0, events: change.events },
      ]),
    },
  },
  {
    flaw: 'the next occurrence comes without subtasks',
    rule: 'the next occurrence has the subtasks of the last',
    sabotage: { functions: replaceConsumer((state) => state) },
  },
  {
    flaw: 'subtasks of a deleted task stay',
    rule: 'every parent can be read',
    sabotage: {
      ports: ({ changes }) => ({
        changes: {
          ...changes,
          loadSubtasks: async () => [],
          commit: ({ emptied: _none, ...change }) => changes.commit(change),
        },
      }),
    },
  },
  {
    flaw: 'completions are not counted',
    rule: 'counters equal a recount',
    sabotage: { ports: changeCommits((change) => [{ ...change, completedDelta: 0 }]) },
  },
]

/** Commits something else than the product asked for; the answer is that of the first part. */
function changeCommits(alter: (change: Change) => Change[]): (deps: Deps) => Partial<Deps> {
  return ({ changes }) => {
    const commit: typeof changes.commit = async (change) => {
      const [first, ...rest] = alter(change)
      const result = await changes.commit(first!)
      if (result.outcome === 'applied') for (const part of rest) await changes.commit(part)
      return result
    }
    return { changes: { ...changes, commit, commitAll: async ([first]) => [await commit(first!)] } }
  }
}

const asIfWaiting = ({ series }: SeriesState): SeriesState['series'] => ({
  ...series,
  state: 'active',
  liveTaskId: null,
})

/** A consumer that decides from a state that is not quite the true one, and leaves no dedupe mark. */
function replaceConsumer(alter: (state: SeriesState) => SeriesState): NonNullable<Sabotage['functions']> {
  const broken = topicFunction({
    on: [TaskCompleted, OccurrenceSkipped],
    uses: ['tasks'],
    handle: async ({ event, trace, madeBy, deps }) => {
      const { user_id: userId, series_id: seriesId } = event.data.task
      const series = seriesId && (await deps.changes.loadSeries(userId, seriesId))
      if (!series) return
      const recent = await recentOccurrences(deps.changes, series)
      const state = alter({ series, recent, last: null })
      const now = deps.clock.now()
      const decision = decideNextOccurrence(state, {
        taskId: deps.ids.uuid(),
        newId: () => deps.ids.uuid(),
        now,
      })
      if (!decision) return
      const actor = { type: 'system', id: 'recurrence', made_by: madeBy } as const
      await deps.changes.commit(toChange(deps, { userId, actor, now, trace }, decision))
    },
  })
  broken.name = 'recurrence/create-next-occurrence'
  return (functions) => functions.map((fn) => (fn.name === broken.name ? broken : fn))
}

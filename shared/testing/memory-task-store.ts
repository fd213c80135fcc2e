import type {
  Change,
  ChangeFeed,
  ChangeStore,
  CommitResult,
  Housekeeping,
  Outbox,
  SeriesSweep,
  TaskReader,
  WaitingSeries,
} from '../app/ports.ts'
import type { ReminderReader } from '../app/reminder-ports.ts'
import type { RecordedEvent } from '../domain/cloud-event.ts'
import { lastClosed } from '../domain/last-occurrence.ts'
import type { Reminder } from '../domain/reminder.ts'
import type { Task } from '../domain/task.ts'
import { anAudience } from './a-reminder.ts'
import { createMemoryTaskReader } from './memory-task-reader.ts'
import { applyChange, copyOf, emptyState, type UserState } from './memory-task-state.ts'

/** Everything that is kept of tasks, behind the ports that use it. */
export interface TaskStores {
  changes: ChangeStore
  tasks: TaskReader
  reminders: ReminderReader
  sweep: SeriesSweep
  outbox: Outbox
  feed: ChangeFeed
  housekeeping: Housekeeping
}

/** Task stores for tests without a database; task-store.contract.ts holds them to the same as those on PostgreSQL. */
export function createMemoryTaskStores(): TaskStores {
  const users = new Map<string, UserState>()
  const waiting = new Map<string, RecordedEvent[]>()
  const turns = new Map<string, Promise<unknown>>()
  const stateOf = (userId: string): UserState => users.get(userId) ?? emptyState()

  /** Runs when all earlier work of the user is done. */
  function inTurn<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const turn = (turns.get(userId) ?? Promise.resolve()).then(work, work)
    turns.set(userId, turn)
    return turn
  }

  function replace(userId: string, next: UserState): void {
    const news = next.events.slice(stateOf(userId).events.length)
    waiting.set(userId, [...(waiting.get(userId) ?? []), ...news])
    users.set(userId, next)
  }

  /** A store on a state of one user that only its holder sees; other users are seen as they are. */
  function draftStore(userId: string, held: { state: UserState }): ChangeStore {
    const store: ChangeStore = {
      ...loads(
        (id) => (id === userId ? held.state : stateOf(id)),
        () => [...users.keys(), userId],
      ),
      commit: async (change) => {
        const next = copyOf(held.state)
        const result = applyChange(next, change)
        if (result.outcome === 'applied') held.state = next
        return result
      },
      exclusively: (_user, work) => work(store),
    }
    return store
  }

  const changes: ChangeStore = {
    ...loads(stateOf, () => [...users.keys()]),
    commit: (change: Change): Promise<CommitResult> =>
      inTurn(change.userId, async () => {
        const next = copyOf(stateOf(change.userId))
        const result = applyChange(next, change)
        if (result.outcome === 'applied') replace(change.userId, next)
        return result
      }),
    exclusively: (userId, work) =>
      inTurn(userId, async () => {
        const held = { state: stateOf(userId) }
        const result = await work(draftStore(userId, held))
        replace(userId, held.state)
        return result
      }),
  }

  return {
    changes,
    tasks: createMemoryTaskReader(stateOf),
    reminders: {
      get: async (userId, reminderId) => {
        const reminder = stateOf(userId).reminders.get(reminderId)
        if (reminder?.deletedAt !== null) return null
        return { reminder, deliveries: [], audience: anAudience({ userId }), isClaimed: false }
      },
      list: async (userId, taskId) =>
        [...stateOf(userId).reminders.values()]
          .filter((one) => one.taskId === taskId && one.deletedAt === null)
          .toSorted(byTime)
          .map((reminder) => ({ reminder, deliveries: [] })),
    },
    sweep: {
      withoutLiveTask: async (idleSince, after, limit) =>
        [...users.values()]
          .flatMap((state) => [...state.series.values()])
          .filter((one) => one.state === 'active' && one.liveTaskId === null && one.updatedAt < idleSince)
          .map((one) => ({ userId: one.userId, seriesId: one.id, waitingSince: one.updatedAt }))
          .filter((one) => after === null || byWaiting(one, after) > 0)
          .toSorted(byWaiting)
          .slice(0, limit),
    },
    outbox: createMemoryOutbox(waiting),
    feed: {
      after: async (userId, sequence, limit) =>
        stateOf(userId)
          .events.filter((event) => event.sequence > sequence)
          .slice(0, limit),
    },
    housekeeping: {
      purge: async (now, { marksBefore, deletedBefore, batch }) =>
        Math.max(
          ...[
            removeWhere(users, 'keys', batch, (key) => key.expiresAt < now),
            removeWhere(users, 'marks', batch, (processedAt) => processedAt < marksBefore),
            removeWhere(
              users,
              'tasks',
              batch,
              ({ deletedAt }) => deletedAt !== null && deletedAt < deletedBefore,
            ),
          ],
        ),
    },
  }
}

const byTime = (a: Reminder, b: Reminder): number => whenOf(a) - whenOf(b) || (a.id < b.id ? -1 : 1)
const whenOf = ({ fireAt, remindAt }: Reminder): number =>
  (fireAt ?? remindAt)?.getTime() ?? Number.MAX_SAFE_INTEGER

const byWaiting = (a: WaitingSeries, b: WaitingSeries): number =>
  a.waitingSince.getTime() - b.waitingSince.getTime() ||
  (a.seriesId < b.seriesId ? -1 : Number(a.seriesId > b.seriesId))

type Loads = Omit<ChangeStore, 'commit' | 'exclusively'>

function loads(stateOf: (userId: string) => UserState, userIds: () => string[]): Loads {
  const present = (userId: string) =>
    [...stateOf(userId).tasks.values()].filter((task) => task.deletedAt === null)
  const inOrder = (a: Pick<Task, 'position' | 'id'>, b: Pick<Task, 'position' | 'id'>) =>
    a.position - b.position || (a.id < b.id ? -1 : Number(a.id > b.id))
  const stored = (userId: string, key: string | null, now: Date) => {
    const found = key === null ? undefined : stateOf(userId).keys.get(key)
    if (!found || found.expiresAt <= now) return null
    return { fingerprint: found.fingerprint, answer: JSON.parse(found.answer) as unknown }
  }
  const occurrencesOf = (seriesId: string) =>
    [...new Set(userIds())]
      .flatMap((userId) => [...stateOf(userId).occurrences.values()])
      .filter((occurrence) => occurrence.seriesId === seriesId)
  const remindersOf = (userId: string, taskIds: readonly string[]) =>
    [...stateOf(userId).reminders.values()].filter(
      ({ taskId, deletedAt }) => deletedAt === null && taskIds.includes(taskId),
    )
  return {
    loadTask: async (userId, taskId, key, now) => {
      const state = stateOf(userId)
      const task = state.tasks.get(taskId) ?? null
      return {
        task,
        series: state.series.get(task?.seriesId ?? '') ?? null,
        reminders: remindersOf(userId, [taskId]),
        stored: stored(userId, key, now),
      }
    },
    loadReminder: async (userId, reminderId, key, now) => {
      const state = stateOf(userId)
      const found = state.reminders.get(reminderId)
      const reminder = found?.deletedAt === null ? found : null
      const task = state.tasks.get(reminder?.taskId ?? '') ?? null
      return { reminder, task, deliveries: [], stored: stored(userId, key, now) }
    },
    loadReminders: async (userId, taskIds) => remindersOf(userId, taskIds),
    loadPreferences: async () => Promise.reject(new Error('Preferences are kept on PostgreSQL only.')),
    loadSeries: async (userId, seriesId) => stateOf(userId).series.get(seriesId) ?? null,
    lastClosed: async (seriesId, at) => {
      const all = occurrencesOf(seriesId)
      const then = all.filter(({ closedAt }) => closedAt?.getTime() === at?.getTime())
      return lastClosed(then) ?? lastClosed(all)
    },
    loadOccurrences: async (seriesId, from, limit) =>
      occurrencesOf(seriesId)
        .filter(({ occurrenceAt }) => occurrenceAt >= from)
        .toSorted((a, b) => a.occurrenceAt.getTime() - b.occurrenceAt.getTime())
        .slice(0, limit),
    loadTasks: async (userId, ids) => present(userId).filter((task) => ids.includes(task.id)),
    loadSiblings: async (userId, seriesId, excluding, limit) =>
      present(userId)
        .filter((task) => task.seriesId === seriesId && task.id !== excluding)
        .toSorted((a, b) => Number(b.occurrenceAt) - Number(a.occurrenceAt))
        .slice(0, limit),
    loadFollowing: async (userId, after, limit) =>
      present(userId)
        .filter((task) => inOrder(task, after) > 0)
        .toSorted(inOrder)
        .slice(0, limit),
    loadPreceding: async (userId, before) =>
      present(userId)
        .filter((task) => task.id !== before.excluding && inOrder(task, before) < 0)
        .toSorted(inOrder)
        .at(-1) ?? null,
    ancestors: async (userId, taskId) => {
      const line: string[] = []
      const tasks = new Map(present(userId).map((task) => [task.id, task]))
      for (let at = tasks.get(taskId); at && line.length <= 100; at = tasks.get(at.parentId ?? ''))
        line.push(at.id)
      return line
    },
    storedAnswer: async (userId, key, now) => stored(userId, key, now),
  }
}

function createMemoryOutbox(waiting: Map<string, RecordedEvent[]>): Outbox {
  const held = new Set<string>()
  const owners = () =>
    [...waiting].flatMap(([userId, events]) => (events.length > 0 ? [userId] : [])).toSorted()
  return {
    drain: async ({ users, eventsPerUser, without }, publish) => {
      const asking = owners()
        .filter((userId) => !without.includes(userId))
        .slice(0, users)
      const mine = asking.filter((userId) => !held.has(userId))
      if (mine.length === 0) return { claimed: 0, sent: 0, left: asking.length > 0 }
      for (const userId of mine) held.add(userId)
      try {
        const batches = mine.map((userId) => (waiting.get(userId) ?? []).slice(0, eventsPerUser))
        const sent = await publish(batches.flat())
        const ids = new Set(sent.map((event) => event.id))
        for (const userId of mine) {
          waiting.set(
            userId,
            (waiting.get(userId) ?? []).filter((event) => !ids.has(event.id)),
          )
        }
        const isMore = batches.some((batch) => batch.length === eventsPerUser)
        const left = isMore || asking.length === users || mine.length < asking.length
        return { claimed: batches.flat().length, sent: sent.length, left }
      } finally {
        for (const userId of mine) held.delete(userId)
      }
    },
    backlog: async () => {
      const times = [...waiting.values()].flat().map((event) => event.time.getTime())
      return { waiting: times.length, oldest: times.length > 0 ? new Date(Math.min(...times)) : null }
    },
  }
}

function removeWhere<Name extends 'keys' | 'marks' | 'tasks'>(
  users: Map<string, UserState>,
  name: Name,
  batch: number,
  isOld: (value: UserState[Name] extends Map<string, infer Value> ? Value : never) => boolean,
): number {
  const old = [...users.values()].flatMap((state) => {
    const entries = state[name] as Map<string, Parameters<typeof isOld>[0]>
    return [...entries]
      .filter(([, value]) => isOld(value))
      .map(
        ([key]) =>
          () =>
            entries.delete(key),
      )
  })
  for (const remove of old.slice(0, batch)) remove()
  return Math.min(old.length, batch)
}

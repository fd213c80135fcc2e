import type { Occurrence, Series } from '../../domain/recurrence/series.ts'
import type { Reminder } from '../../domain/reminders/reminder.ts'
import type { Priority, Task } from '../../domain/tasks/task.ts'
import type { WalledSeries, WalledTask } from '../../domain/tasks/zone-change.ts'
import type { StoredAnswer } from '../ports.ts'
import type { TaskPage, TaskQuery } from './task-query.ts'

export interface TagDelta {
  key: string
  label: string
  active: number
  completed: number
}

export interface LoadedTask {
  task: Task | null
  series: Series | null
  /** Those the user has not removed, whatever their state; the default one even then. */
  reminders: Reminder[]
  /** Whether there are tasks below it, deleted ones included. */
  hasSubtasks: boolean
  /** The stored answer of this user's Idempotency-Key, when there is one. */
  stored: StoredAnswer | null
}

export interface ListPosition {
  position: number
  id: string
}

export interface SubtaskQuery {
  /** Besides those that are not deleted, those deleted at this instant. */
  deletedAt: Date | null
  /** Only those that are open (null), or were completed at this instant; left out: either. */
  completedAt?: Date | null
  limit: number
}

/** Reads for people; see shared/app/tasks/task-query.ts. */
export interface TaskReader {
  get(userId: string, taskId: string): Promise<{ task: Task; series: Series | null } | null>
  list(userId: string, query: TaskQuery): Promise<TaskPage>
  tags(userId: string, query: { prefix: string; sort: 'usage' | 'name'; limit: number }): Promise<TagUsage[]>
  occurrences(userId: string, seriesId: string, limit: number): Promise<Occurrence[]>
}

interface TagUsage {
  tag: string
  active: number
  completed: number
}

/** What a list of {@link TaskRepository} is narrowed to; all of it has to hold. */
export interface RepositoryFilter {
  status: 'all' | 'active' | 'completed'
  /** Any of these; empty for every priority. */
  priorities: readonly Priority[]
  /** All of these, compared by tagKey. */
  tags: readonly string[]
}

/**
 * Tasks of users by themselves, without series, reminders, events or counters: what a store of keys and values can keep as well
 * as rows (docs/state-store.md). A task of another user is none.
 */
export interface TaskRepository {
  /** False: there is a task with this id. That of a deleted one is not used again. */
  create(task: Task): Promise<boolean>
  get(userId: string, taskId: string): Promise<Task | null>
  /** By position, then id. */
  list(userId: string, filter: RepositoryFilter): Promise<Task[]>
  /** Over the version before, `task.version - 1`. False: there is another version, or none. */
  save(task: Task): Promise<boolean>
  /** False: there is another version, or none. */
  delete(userId: string, taskId: string, version: number): Promise<boolean>
}

export interface Housekeeping {
  /**
   * Removes at most `batch` of each: old dedupe marks, tasks deleted long ago with their reminders, reminders removed
   * long ago, old notifications with their deliveries, dead letters resolved long ago, and what has expired of keys,
   * sessions, API tokens, tickets, links to set a password and counts of failed sign-ins. Resolves to the most of one.
   */
  purge(now: Date, limits: PurgeLimits): Promise<number>
}

interface PurgeLimits {
  marksBefore: Date
  deletedBefore: Date
  notificationsBefore: Date
  resolvedBefore: Date
  /** The oldest beyond so many go before their time. */
  notificationsPerUser: number
  batch: number
}

/** What follows a change of the zone database, or of a user's zone. `zone` is where the wall is to be from now on. */
export interface ZoneStore {
  /** The zone database whose rules the instants are derived by (process.versions.tz); null in a new database. */
  version(): Promise<string | null>
  record(version: string): Promise<void>
  /** Runs `work` in one process at a time; null when another is at it. */
  alone<T>(work: () => Promise<T>): Promise<T | null>
  /** Active series after one, by id. */
  activeSeries(after: string | null, limit: number): Promise<Walled<WalledSeries>[]>
  /** Open tasks that are due or have reminders, after one, by id; not those in UTC. */
  openTasks(after: string | null, limit: number): Promise<Walled<WalledTask>[]>
  /** Of users whose zone is another one than that of what floats, at most `limit`. */
  floatingSeries(limit: number): Promise<Walled<WalledSeries>[]>
  floatingTasks(limit: number): Promise<Walled<WalledTask>[]>
  /** Sorts tasks that are due on a day by the end of the day as it is by now. Nobody sees a change. */
  sortAgain(tasks: readonly Sorted[]): Promise<void>
}

/** `sorted` where a task that is due on a day is sorted by another instant than the end of that day. */
export type Walled<Row> = Row & { userId: string; zone: string; id: string; sorted?: Sorted }

interface Sorted {
  id: string
  version: number
  dueOrder: Date
}

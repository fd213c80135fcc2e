import postgres from 'postgres'
import type { Change, ChangeStore, CommitResult, LoadedTask } from '../app/ports.ts'
import { preferencesToRow } from './audience.ts'
import { inGroups } from './commit-groups.ts'
import type { Sql, Transaction } from './connect.ts'
import { createPreferenceStore } from './preference-store.ts'
import {
  deliveryFromRow,
  deliveryToRow,
  notificationToRow,
  reminderFromRow,
  reminderToRow,
  type DeliveryRow,
  type ReminderRow,
} from './reminder-rows.ts'
import {
  fromJson,
  occurrenceFromRow,
  occurrenceToRow,
  seriesFromRow,
  seriesToRow,
  taskFromRow,
  taskToRow,
} from './task-rows.ts'
import type { OccurrenceRow, SeriesRow, TaskRow } from './task-rows.ts'
import { inTransaction } from './transaction.ts'

/** SQLSTATEs that commit_change raises (migration 0002). */
const REFUSALS: Record<string, CommitResult> = {
  DB001: { outcome: 'conflict' },
  DB002: { outcome: 'already_processed' },
  DB003: { outcome: 'in_flight' },
  DB004: { outcome: 'key_reused' },
  DB005: { outcome: 'conflict' },
}

export function createChangeStore(sql: Sql): ChangeStore {
  const commitSoon = inGroups<Change, CommitResult>({
    keyOf: (change) => change.userId,
    run: (changes) => commitGroup(sql, changes),
  })
  const keysUnderWay = new Set<string>()
  return {
    ...reads(sql),
    commit: async (change) => {
      if (!change.idempotency) return await commitSoon(change)
      // It would wait behind the first attempt, which commit_change refuses it only when they meet in the database.
      const key = `${change.userId} ${change.idempotency.key}`
      if (keysUnderWay.has(key)) return { outcome: 'in_flight' }
      keysUnderWay.add(key)
      try {
        return await commitSoon(change)
      } finally {
        keysUnderWay.delete(key)
      }
    },
    exclusively: <T>(userId: string, work: (store: ChangeStore) => Promise<T>) =>
      inTransaction(sql, async (tx) => {
        await tx`insert into user_counters (user_id) values (${userId}) on conflict do nothing`
        await tx`select 1 from user_counters where user_id = ${userId} for update`
        const store: ChangeStore = {
          ...reads(tx),
          // A refusal aborts the statement only, not what `work` did before: hence the savepoint.
          commit: (change) => tx.savepoint((inner) => rawCommit(inner, change)).catch(refusalOf),
          exclusively: (_user, nested) => nested(store),
        }
        return work(store)
      }),
  }
}

/** Together no change waits for whoever holds its user; one that would is then tried alone, as is one that is refused. */
async function commitGroup(
  sql: Sql,
  changes: readonly Change[],
): Promise<(CommitResult | Promise<CommitResult>)[]> {
  // In the same order everywhere, so that two groups cannot wait for each other.
  const order = changes.map((_, index) => index).toSorted((a, b) => byUser(changes[a]!, changes[b]!))
  const [row] = await sql<{ results: (Applied | { outcome: 'undone' })[] }[]>`
    select commit_changes(${sql.json(order.map((index) => changeRow(changes[index]!)) as never)}) as results`
  const results: (CommitResult | Promise<CommitResult>)[] = []
  for (const [place, index] of order.entries()) {
    const result = row!.results[place]!
    const isUndone = result.outcome === 'undone'
    results[index] = isUndone ? rawCommit(sql, changes[index]!).catch(refusalOf) : resultOf(result)
  }
  return results
}

const byUser = (a: Change, b: Change): number => (a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0)

async function rawCommit(sql: Sql | Transaction, change: Change): Promise<CommitResult> {
  const [row] = await sql<{ result: Applied }[]>`
    select commit_change(${sql.json(changeRow(change) as never)}) as result`
  return resultOf(row!.result)
}

type Applied = { outcome: 'applied' } | { outcome: 'replayed'; answer: string }

const resultOf = (result: Applied): CommitResult =>
  result.outcome === 'replayed' ? { ...result, answer: JSON.parse(result.answer) as unknown } : result

function refusalOf(error: unknown): CommitResult {
  const refusal = error instanceof postgres.PostgresError ? REFUSALS[error.code] : undefined
  if (refusal) return refusal
  throw error
}

type Reads = Omit<ChangeStore, 'commit' | 'exclusively'>

function reads(sql: Sql | Transaction): Reads {
  return {
    async loadTask(userId, taskId, key, now) {
      const [row] = await sql<
        {
          task: TaskRow | null
          series: SeriesRow | null
          reminders: ReminderRow[] | null
          stored: StoredAnswer | null
        }[]
      >`
        select (select to_jsonb(t) - 'words' from tasks t where id = ${taskId} and user_id = ${userId}) as task,
          (select to_jsonb(s) from series s where s.id =
            (select series_id from tasks where id = ${taskId} and user_id = ${userId})) as series,
          (select jsonb_agg(to_jsonb(r) order by id) from reminders r
            where task_id = ${taskId} and user_id = ${userId} and deleted_at is null) as reminders,
          (select jsonb_build_object('fingerprint', fingerprint, 'answer', answer) from idempotency_keys
            where user_id = ${userId} and key = ${key} and expires_at > ${now}) as stored`
      return {
        task: row?.task ? taskFromRow(fromJson(row.task)) : null,
        series: row?.series ? seriesFromRow(fromJson(row.series)) : null,
        reminders: (row?.reminders ?? []).map((reminder) => reminderFromRow(fromJson(reminder))),
        stored: storedAnswer(row?.stored),
      }
    },
    async loadReminder(userId, reminderId, key, now) {
      const [row] = await sql<
        {
          reminder: ReminderRow | null
          task: TaskRow | null
          deliveries: DeliveryRow[] | null
          stored: StoredAnswer | null
        }[]
      >`
        select to_jsonb(r) as reminder, to_jsonb(t) - 'words' as task,
          (select jsonb_agg(to_jsonb(d)) from deliveries d
            where d.reminder_id = r.id and d.fire_at = r.fired_at) as deliveries,
          (select jsonb_build_object('fingerprint', fingerprint, 'answer', answer) from idempotency_keys
            where user_id = ${userId} and key = ${key} and expires_at > ${now}) as stored
        from (select) one
          left join reminders r on r.id = ${reminderId} and r.user_id = ${userId} and r.deleted_at is null
          left join tasks t on t.id = r.task_id and t.user_id = r.user_id`
      return {
        reminder: row?.reminder ? reminderFromRow(fromJson(row.reminder)) : null,
        task: row?.task ? taskFromRow(fromJson(row.task)) : null,
        deliveries: (row?.deliveries ?? []).map((delivery) => deliveryFromRow(fromJson(delivery))),
        stored: storedAnswer(row?.stored),
      }
    },
    async loadSeries(userId, seriesId) {
      const [row] = await sql<{ series: SeriesRow }[]>`
        select to_jsonb(s) as series from series s where id = ${seriesId} and user_id = ${userId}`
      return row ? seriesFromRow(fromJson(row.series)) : null
    },
    async lastClosed(seriesId, at) {
      const [row] = await sql<{ occurrence: OccurrenceRow }[]>`
        select to_jsonb(o) as occurrence from occurrences o
        where series_id = ${seriesId} and state in ('completed', 'skipped')
        order by (closed_at = ${at}) desc nulls last, closed_at desc, occurrence_at desc limit 1`
      return row ? occurrenceFromRow(fromJson(row.occurrence)) : null
    },
    async loadOccurrences(seriesId, from, limit) {
      const rows = await sql<{ occurrence: OccurrenceRow }[]>`
        select to_jsonb(o) as occurrence from occurrences o
        where series_id = ${seriesId} and occurrence_at >= ${from}
        order by occurrence_at limit ${limit}`
      return rows.map((row) => occurrenceFromRow(fromJson(row.occurrence)))
    },
    async loadTasks(userId, ids) {
      const rows = await sql<{ task: TaskRow }[]>`
        select to_jsonb(t) - 'words' as task from tasks t
        where user_id = ${userId} and id = any(${[...ids]}::uuid[]) and deleted_at is null`
      return rows.map((row) => taskFromRow(fromJson(row.task)))
    },
    async loadReminders(userId, taskIds) {
      const rows = await sql<ReminderRow[]>`
        select * from reminders
        where task_id = any(${[...taskIds]}::uuid[]) and user_id = ${userId} and deleted_at is null order by id`
      return rows.map(reminderFromRow)
    },
    async loadSiblings(userId, seriesId, excluding, limit) {
      const rows = await sql<{ task: TaskRow }[]>`
        select to_jsonb(t) - 'words' as task from tasks t
        where series_id = ${seriesId} and user_id = ${userId} and id <> ${excluding} and deleted_at is null
        order by occurrence_at desc limit ${limit}`
      return rows.map((row) => taskFromRow(fromJson(row.task)))
    },
    async loadFollowing(userId, after, limit) {
      const side = (isOpen: boolean) => sql`(select * from tasks
        where user_id = ${userId} and is_open = ${isOpen} and deleted_at is null
          and (position, id) > (${after.position}::bigint, ${after.id}::uuid)
        order by position, id limit ${limit})`
      const rows = await sql<{ task: TaskRow }[]>`
        select to_jsonb(t) - 'words' as task from (${side(true)} union all ${side(false)}) t
        order by position, id limit ${limit}`
      return rows.map((row) => taskFromRow(fromJson(row.task)))
    },
    async loadPreceding(userId, before) {
      const side = (isOpen: boolean) => sql`(select * from tasks
        where user_id = ${userId} and is_open = ${isOpen} and deleted_at is null and id <> ${before.excluding}
          and (position, id) < (${before.position}::bigint, ${before.id}::uuid)
        order by position desc, id desc limit 1)`
      const [row] = await sql<{ task: TaskRow }[]>`
        select to_jsonb(t) - 'words' as task from (${side(true)} union all ${side(false)}) t
        order by position desc, id desc limit 1`
      return row ? taskFromRow(fromJson(row.task)) : null
    },
    async ancestors(userId, taskId) {
      const rows = await sql<{ id: string }[]>`
        with recursive up (id, parent_id, depth) as (
          select id, parent_id, 0 from tasks where id = ${taskId} and user_id = ${userId} and deleted_at is null
          union all
          select t.id, t.parent_id, depth + 1 from tasks t join up on t.id = up.parent_id
          where t.user_id = ${userId} and depth < 100)
        select id from up order by depth`
      return rows.map((row) => row.id)
    },
    async storedAnswer(userId, key, now) {
      const [row] = await sql<StoredAnswer[]>`
        select fingerprint, answer from idempotency_keys
        where user_id = ${userId} and key = ${key} and expires_at > ${now}`
      return storedAnswer(row)
    },
    loadPreferences: createPreferenceStore(sql).get,
  }
}

interface StoredAnswer {
  fingerprint: string
  answer: string
}

const storedAnswer = (stored: StoredAnswer | null | undefined): LoadedTask['stored'] =>
  stored ? { ...stored, answer: JSON.parse(stored.answer) as unknown } : null

/** The change in column names, without the parts it does not have. */
function changeRow(change: Change): object {
  const rows = <T>(name: string, list: readonly T[] | undefined, row: (item: T) => object) =>
    list && list.length > 0 ? { [name]: list.map(row) } : {}
  return {
    user_id: change.userId,
    at: change.at.toISOString(),
    active_delta: change.activeDelta,
    completed_delta: change.completedDelta,
    ...rows('new_tasks', change.newTasks, taskToRow),
    ...rows('changed_tasks', change.changedTasks, taskToRow),
    ...rows('moved_tasks', change.movedTasks, (moved) => moved),
    ...rows('new_occurrences', change.newOccurrences, occurrenceToRow),
    ...rows('changed_occurrences', change.changedOccurrences, occurrenceToRow),
    ...rows('dropped_occurrences', change.droppedOccurrences, ({ seriesId, occurrenceAt }) => ({
      series_id: seriesId,
      occurrence_at: occurrenceAt.toISOString(),
    })),
    ...rows('unchanged_tasks', change.unchangedTasks, ({ id, version }) => ({ id, version })),
    ...(change.knownReminders && {
      known_reminders: {
        task_ids: change.knownReminders.taskIds,
        reminders: change.knownReminders.reminders.map(({ id, version }) => ({ id, version })),
      },
    }),
    ...rows('changed_reminders', change.changedReminders, reminderToRow),
    ...rows('new_reminders', change.newReminders, reminderToRow),
    ...rows('new_notifications', change.newNotifications, notificationToRow),
    ...rows('new_deliveries', change.newDeliveries, deliveryToRow),
    ...rows('changed_deliveries', change.changedDeliveries, deliveryToRow),
    ...rows('unchanged_deliveries', change.unchangedDeliveries, ({ id, version }) => ({ id, version })),
    ...rows('shown_notifications', change.shownNotifications, ({ id, fact }) => ({ id, seq: fact + 1 })),
    ...(change.nextDigest && { next_digest: change.nextDigest }),
    ...(change.preferences && { preferences: preferencesToRow(change.preferences, change.at) }),
    ...rows('tag_deltas', change.tagDeltas, (delta) => delta),
    ...(change.series && { series: seriesToRow(change.series) }),
    events: change.events.map(({ trace, time, ...event }) => ({
      ...event,
      time: time.toISOString(),
      ...trace,
    })),
    ...(change.processed && {
      processed: { consumer: change.processed.consumer, event_id: change.processed.eventId },
    }),
    ...(change.idempotency && {
      idempotency: {
        key: change.idempotency.key,
        fingerprint: change.idempotency.fingerprint,
        answer: JSON.stringify(change.idempotency.answer),
        expires_at: change.idempotency.expiresAt.toISOString(),
      },
    }),
  }
}

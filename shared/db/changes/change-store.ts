import type { Change, ChangeStore, CommitResult } from '../../app/ports.ts'
import type { LoadedTask } from '../../app/tasks/ports.ts'
import type { Placed } from '../../domain/tasks/reorder.ts'
import { changeRow } from './change-row.ts'
import { inGroups } from './commit-groups.ts'
import { refusalOf, resultOf, type Applied } from './commit-result.ts'
import type { Sql, Transaction } from '../connect.ts'
import { mergedRows } from './merged-rows.ts'
import { oneByOne, type OneByOne } from './one-by-one.ts'
import { createPreferenceStore } from '../notifications/preference-store.ts'
import {
  deliveryFromRow,
  reminderFromRow,
  type DeliveryRow,
  type ReminderRow,
} from '../reminders/reminder-rows.ts'
import { fromJson, seriesFromRow, taskFromRow } from '../tasks/task-rows.ts'
import type { SeriesRow, TaskRow } from '../tasks/task-rows.ts'
import { seriesReads } from '../tasks/series-reads.ts'
import { subtaskReads } from '../tasks/subtask-reads.ts'
import { inTransaction } from '../transaction.ts'

/** What a change with more rows takes is not for others to wait for. */
const MAX_GROUPED_ROWS = 100
const MAX_COMMITTED_TOGETHER = 16

/** `announce` is told of every user something was committed of. */
export function createChangeStore(sql: Sql, announce: (userId: string) => void = () => {}): ChangeStore {
  // What waits for a user's row holds a connection meanwhile, so of each user one does.
  const inTurn = oneByOne()
  const commitSoon = inGroups<readonly Change[], CommitResult[]>({
    keyOf: ([change]) => change!.userId,
    sizeOf: (changes) => changes.length,
    run: (lists) => commitGroup(sql, lists, inTurn),
  })
  // One that takes long would keep those waiting that are committed together with it.
  const commitAll = async (changes: readonly Change[]): Promise<CommitResult[]> => {
    const [first] = changes
    const results =
      rowsOf(first!) > MAX_GROUPED_ROWS
        ? [await inTurn(first!.userId, () => rawCommit(sql, first!).catch(refusalOf))]
        : await commitSoon(firstOf(changes))
    if (results.some(({ outcome }) => outcome === 'applied')) announce(first!.userId)
    return results
  }
  const commitOne = async (change: Change): Promise<CommitResult> => (await commitAll([change]))[0]!
  const keysUnderWay = new Set<string>()
  return {
    ...reads(sql),
    commitAll,
    commit: async (change) => {
      if (!change.idempotency) return await commitOne(change)
      // It would wait behind the first attempt, which commit_change refuses it only when they meet in the database.
      const key = `${change.userId} ${change.idempotency.key}`
      if (keysUnderWay.has(key)) return { outcome: 'in_flight' }
      keysUnderWay.add(key)
      try {
        return await commitOne(change)
      } finally {
        keysUnderWay.delete(key)
      }
    },
    exclusively: async (userId, work) => {
      const result = await inTurn(userId, () => holding(sql, userId, work))
      announce(userId)
      return result
    },
  }
}

/** As many as may be committed together, but the first in any case. */
function firstOf(changes: readonly Change[]): readonly Change[] {
  let rows = 0
  const tooMuch = changes.findIndex((change, place) => {
    rows += rowsOf(change)
    return place === MAX_COMMITTED_TOGETHER || (place > 0 && rows > MAX_GROUPED_ROWS)
  })
  return tooMuch === -1 ? changes : changes.slice(0, tooMuch)
}

/** Runs `work` while no other write of the user comes in between. */
const holding = <T>(sql: Sql, userId: string, work: (store: ChangeStore) => Promise<T>): Promise<T> =>
  inTransaction(sql, async (tx) => {
    await tx`select hold_user(${userId})`
    // A refusal aborts the statement only, not what `work` did before: hence the savepoint.
    const commit = (change: Change): Promise<CommitResult> =>
      tx.savepoint((inner) => rawCommit(inner, change)).catch(refusalOf)
    const store: ChangeStore = {
      ...reads(tx),
      commit,
      commitAll: async ([first]) => [await commit(first!)],
      exclusively: (_user, nested) => nested(store),
    }
    return work(store)
  })

/** Of all kinds together. */
const rowsOf = (change: Change): number =>
  Object.values(change).reduce<number>((sum, rows) => sum + (Array.isArray(rows) ? rows.length : 0), 0)

/**
 * Together no list waits for whoever holds its user; a change that would is then tried alone, as is one that is refused. The
 * changes of a list are one where they can be.
 */
async function commitGroup(
  sql: Sql,
  lists: readonly (readonly Change[])[],
  inTurn: OneByOne,
  merge = mergedRows,
): Promise<(CommitResult[] | Promise<CommitResult[]>)[]> {
  // In the same order everywhere, so that two groups cannot wait for each other.
  const order = lists.map((_, index) => index).toSorted((a, b) => byUser(lists[a]![0]!, lists[b]![0]!))
  const merged = new Set<number>()
  const rows = order.map((index) => {
    const each = lists[index]!.map(changeRow)
    const one = merge(each)
    if (one) merged.add(index)
    return one ? [one] : each
  })
  const [row] = await sql<{ results: (Applied | { outcome: 'undone' })[][] }[]>`
    select commit_changes(${sql.json(rows as never)}) as results`
  const results: (CommitResult[] | Promise<CommitResult[]>)[] = []
  for (const [place, index] of order.entries()) {
    const found = row!.results[place]!
    if (merged.has(index)) {
      const list = lists[index]!
      results[index] =
        found[0]!.outcome === 'applied'
          ? list.map(() => ({ outcome: 'applied' }))
          : commitGroup(sql, [list], inTurn, () => null).then(([apart]) => apart!)
      continue
    }
    const applied = found.flatMap((result) => (result.outcome === 'undone' ? [] : [resultOf(result)]))
    const undone = lists[index]![applied.length]
    const alone = async (change: Change) => [...applied, await rawCommit(sql, change).catch(refusalOf)]
    results[index] = applied.length < found.length ? inTurn(undone!.userId, () => alone(undone!)) : applied
  }
  return results
}

const byUser = (a: Change, b: Change): number => (a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0)

async function rawCommit(sql: Sql | Transaction, change: Change): Promise<CommitResult> {
  const [row] = await sql<{ result: Applied }[]>`
    select commit_change(${sql.json(changeRow(change) as never)}) as result`
  return resultOf(row!.result)
}

type Reads = Omit<ChangeStore, 'commit' | 'commitAll' | 'exclusively'>

function reads(sql: Sql | Transaction): Reads {
  const preferences = createPreferenceStore(sql)
  return {
    async loadTask(userId, taskId, key, now) {
      const [row] = await sql<
        {
          task: TaskRow | null
          series: SeriesRow | null
          reminders: ReminderRow[] | null
          has_subtasks: boolean
          stored: StoredAnswer | null
        }[]
      >`
        select (select to_jsonb(t) - 'words' from tasks t where id = ${taskId} and user_id = ${userId}) as task,
          (select to_jsonb(s) from series s where s.id =
            (select series_id from tasks where id = ${taskId} and user_id = ${userId})) as series,
          (select jsonb_agg(to_jsonb(r) order by id) from reminders r
            where task_id = ${taskId} and user_id = ${userId} and (deleted_at is null or origin = 'default')) as reminders,
          exists (select from tasks where parent_id = ${taskId} and user_id = ${userId}) as has_subtasks,
          (select jsonb_build_object('fingerprint', fingerprint, 'answer', answer) from idempotency_keys
            where user_id = ${userId} and key = ${key} and expires_at > ${now}) as stored`
      return {
        task: row?.task ? taskFromRow(fromJson(row.task)) : null,
        series: row?.series ? seriesFromRow(fromJson(row.series)) : null,
        reminders: (row?.reminders ?? []).map((reminder) => reminderFromRow(fromJson(reminder))),
        hasSubtasks: row?.has_subtasks ?? false,
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
    ...seriesReads(sql),
    async loadTasks(userId, ids) {
      const rows = await sql<{ task: TaskRow }[]>`
        select to_jsonb(t) - 'words' as task from tasks t
        where user_id = ${userId} and id = any(${[...ids]}::uuid[]) and deleted_at is null`
      return rows.map((row) => taskFromRow(fromJson(row.task)))
    },
    async loadPlaces(userId, ids) {
      return [
        ...(await sql<Placed[]>`
          select id, position, version from tasks
          where user_id = ${userId} and id = any(${[...ids]}::uuid[]) and deleted_at is null`),
      ]
    },
    async loadReminders(userId, taskIds) {
      const rows = await sql<ReminderRow[]>`
        select * from reminders
        where task_id = any(${[...taskIds]}::uuid[]) and user_id = ${userId}
          and (deleted_at is null or origin = 'default') order by id`
      return rows.map(reminderFromRow)
    },
    async loadOpenSiblings(userId, seriesId, excluding, limit) {
      const rows = await sql<{ task: TaskRow }[]>`
        select to_jsonb(t) - 'words' as task from tasks t
        where series_id = ${seriesId} and is_open and deleted_at is null and user_id = ${userId} and id <> ${excluding}
        order by occurrence_at desc limit ${limit}`
      return rows.map((row) => taskFromRow(fromJson(row.task)))
    },
    async loadFollowing(userId, after, limit) {
      const side = (isOpen: boolean) => sql`(select id, position, version from tasks
        where user_id = ${userId} and is_open = ${isOpen} and deleted_at is null
          and (position, id) > (${after.position}::bigint, ${after.id}::uuid)
        order by position, id limit ${limit})`
      return [
        ...(await sql<Placed[]>`${side(true)} union all ${side(false)} order by position, id limit ${limit}`),
      ]
    },
    async loadPreceding(userId, before) {
      const side = (isOpen: boolean) => sql`(select id, position, version from tasks
        where user_id = ${userId} and is_open = ${isOpen} and deleted_at is null and id <> ${before.excluding}
          and (position, id) < (${before.position}::bigint, ${before.id}::uuid)
        order by position desc, id desc limit 1)`
      const [place] = await sql<Placed[]>`
        ${side(true)} union all ${side(false)} order by position desc, id desc limit 1`
      return place ?? null
    },
    ...subtaskReads(sql),
    async storedAnswer(userId, key, now) {
      const [row] = await sql<StoredAnswer[]>`
        select fingerprint, answer from idempotency_keys
        where user_id = ${userId} and key = ${key} and expires_at > ${now}`
      return storedAnswer(row)
    },
    async forgetAnswer(userId, key, keptUntil) {
      // Counted until commit_change or the purge removes it.
      await sql`update idempotency_keys set expires_at = 'epoch'
        where user_id = ${userId} and key = ${key} and expires_at <= ${keptUntil}`
    },
    loadPreferences: preferences.get,
    defaultReminderMinutes: preferences.defaultReminderMinutes,
  }
}

interface StoredAnswer {
  fingerprint: string
  answer: string
}

const storedAnswer = (stored: StoredAnswer | null | undefined): LoadedTask['stored'] =>
  stored ? { ...stored, answer: JSON.parse(stored.answer) as unknown } : null

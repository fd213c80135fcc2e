import type { ChangeStore } from '../../app/ports.ts'
import type { Sql, Transaction } from '../connect.ts'
import { fromJson, seriesFromRow, taskFromRow, type SeriesRow, type TaskRow } from './task-rows.ts'

type Reads = Pick<ChangeStore, 'ancestors' | 'loadSubtasks' | 'countSubtasks' | 'loadSeriesBelow'>

/** What a store reads of tasks below and above others. */
export function subtaskReads(sql: Sql | Transaction): Reads {
  return {
    async ancestors(userId, taskId) {
      const rows = await sql<{ id: string; version: number; is_recurring: boolean }[]>`
        with recursive up (id, parent_id, depth) as (
          select id, parent_id, 0 from tasks where id = ${taskId} and user_id = ${userId} and deleted_at is null
          union all
          select t.id, t.parent_id, depth + 1 from tasks t join up on t.id = up.parent_id
          where t.user_id = ${userId} and t.deleted_at is null and depth < ${DEEPEST})
        select id, version, recurrence_rule is not null as is_recurring from up join tasks using (id) order by depth`
      return rows.map(({ id, version, is_recurring: isRecurring }) => ({ id, version, isRecurring }))
    },
    async loadSubtasks(userId, taskId, { deletedAt, completedAt, limit }) {
      const wanted =
        completedAt === undefined
          ? sql`true`
          : completedAt === null
            ? sql`t.completed_at is null`
            : sql`t.completed_at = ${completedAt}`
      const rows = await sql<{ task: TaskRow }[]>`
        ${below(sql, userId, taskId, deletedAt)}
        select to_jsonb(t) - 'words' as task from below join tasks t using (id)
        where ${wanted} order by depth, position, id limit ${limit}`
      return rows.map((row) => taskFromRow(fromJson(row.task)))
    },
    async countSubtasks(userId, taskId) {
      const [row] = await sql<{ count: number }[]>`
        with recursive counted (id, depth) as (
          select id, 1 from tasks where parent_id = ${taskId} and user_id = ${userId} and deleted_at is null
            and (recurrence_rule is null or completed_at is null)
          union all
          select t.id, depth + 1 from tasks t join counted c on t.parent_id = c.id
          where t.user_id = ${userId} and t.deleted_at is null
            and (t.recurrence_rule is null or t.completed_at is null) and depth < ${DEEPEST})
        select count(*)::int as count from counted`
      return row!.count
    },
    async loadSeriesBelow(userId, taskIds, endedAt) {
      const ids = [...taskIds]
      const rows = await sql<{ series: SeriesRow }[]>`
        select to_jsonb(s) as series from series s
        where user_id = ${userId} and (
          id = any(array(select series_id from tasks where id = any(${ids}::uuid[]) and series_id is not null))
          or (live_task_id is null and template ->> 'parent_id' = any(${ids}::text[])
            and (state = 'active' or updated_at = ${endedAt})))
        order by id`
      return rows.map((row) => seriesFromRow(fromJson(row.series)))
    },
  }
}

/** More levels than there can be (shared/domain/tasks/subtasks.ts). */
const DEEPEST = 20

const below = (sql: Sql | Transaction, userId: string, taskId: string, deletedAt: Date | null) => sql`
  with recursive below (id, depth) as (
    select id, 1 from tasks
    where parent_id = ${taskId} and user_id = ${userId} and (deleted_at is null or deleted_at = ${deletedAt})
    union all
    select t.id, depth + 1 from tasks t join below b on t.parent_id = b.id
    where t.user_id = ${userId} and (t.deleted_at is null or t.deleted_at = ${deletedAt}) and depth < ${DEEPEST})`

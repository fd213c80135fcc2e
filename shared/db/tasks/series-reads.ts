import type { ChangeStore } from '../../app/ports.ts'
import { slotAt } from '../../domain/recurrence/slots.ts'
import type { Sql, Transaction } from '../connect.ts'
import { reminderFromRow, type ReminderRow } from '../reminders/reminder-rows.ts'
import {
  fromJson,
  occurrenceFromRow,
  seriesFromRow,
  taskFromRow,
  type OccurrenceRow,
  type SeriesRow,
  type TaskRow,
} from './task-rows.ts'

type Reads = Pick<ChangeStore, 'loadSeries' | 'loadWaiting' | 'lastClosed' | 'loadOccurrences'>

/** Usually the first few are all there are. */
const MAX_RECENT = 100

export function seriesReads(sql: Sql | Transaction): Reads {
  return {
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
    async loadWaiting(userId, seriesId) {
      // Two days: a date may begin so much earlier than the instant at which it was closed.
      const [row] = await sql<
        {
          series: SeriesRow
          last: OccurrenceRow | null
          recent: OccurrenceRow[] | null
          task: TaskRow | null
          reminders: ReminderRow[] | null
          has_subtasks: boolean
        }[]
      >`
        select to_jsonb(s) as series, to_jsonb(l) as last, to_jsonb(t) - 'words' as task,
          (select jsonb_agg(to_jsonb(r)) from (
            select * from occurrences
            where series_id = s.id and occurrence_at >= least(l.occurrence_at, l.closed_at - interval '2 days')
            order by occurrence_at limit ${MAX_RECENT}) r) as recent,
          (select jsonb_agg(to_jsonb(r) order by id) from reminders r
            where task_id = l.task_id and user_id = s.user_id and (deleted_at is null or origin = 'default')) as reminders,
          exists (select from tasks where parent_id = l.task_id and user_id = s.user_id) as has_subtasks
        from series s
        left join lateral (
          select * from occurrences where series_id = s.id and state in ('completed', 'skipped')
          order by (closed_at = s.updated_at) desc nulls last, closed_at desc, occurrence_at desc limit 1) l on true
        left join tasks t on t.id = l.task_id and t.user_id = s.user_id
        where s.id = ${seriesId} and s.user_id = ${userId} and s.state = 'active' and s.live_task_id is null`
      if (!row) return null
      const series = seriesFromRow(fromJson(row.series))
      const last = row.last && occurrenceFromRow(fromJson(row.last))
      const rows = row.recent ?? []
      const from = last && Math.min(Number(last.occurrenceAt), Number(slotAt(last.closedAt!, series)))
      return {
        series,
        recent:
          from === null || rows.length === MAX_RECENT
            ? null
            : rows
                .map((occurrence) => occurrenceFromRow(fromJson(occurrence)))
                .filter(({ occurrenceAt }) => Number(occurrenceAt) >= from),
        task: row.task && taskFromRow(fromJson(row.task)),
        reminders: (row.reminders ?? []).map((reminder) => reminderFromRow(fromJson(reminder))),
        hasSubtasks: row.has_subtasks,
      }
    },
  }
}

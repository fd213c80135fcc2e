import type { Walled, ZoneStore } from '../../app/tasks/ports.ts'
import type { WalledSeries, WalledTask } from '../../domain/tasks/zone-change.ts'
import type { Sql } from '../connect.ts'
import { reminderFromRow, type ReminderRow } from '../reminders/reminder-rows.ts'
import { inTransaction } from '../transaction.ts'
import {
  dueOrder,
  fromJson,
  occurrenceFromRow,
  seriesFromRow,
  taskFromRow,
  type OccurrenceRow,
  type SeriesRow,
  type SeriesWalls,
  type TaskRow,
  type TaskWalls,
} from './task-rows.ts'

const ZONE_LOCK = 7_246_005

type WalledTaskRow = TaskRow &
  TaskWalls & { due_order: string; reminders: (ReminderRow & { remind_wall: string | null })[] | null }
type WalledSeriesRow = SeriesRow & { walls: SeriesWalls }
type WalledOccurrenceRow = OccurrenceRow & { occurrence_wall: string | null }

export function createZoneStore(sql: Sql): ZoneStore {
  /** A task `t` as JSON, with its reminders. */
  const walledTask = sql`to_jsonb(t) - 'words' || jsonb_build_object('reminders', (
    select jsonb_agg(to_jsonb(r) order by id) from reminders r where r.task_id = t.id and r.deleted_at is null))`
  /** A series `s`: what was closed last, and all that lies after it, with their tasks. */
  const ofSeries = sql`to_jsonb(s) as series, o.occurrences, o.tasks from series s cross join lateral (
      select jsonb_agg(to_jsonb(o)) as occurrences, jsonb_agg(${walledTask}) filter (where t.id is not null) as tasks
      from occurrences o left join tasks t on t.id = o.task_id and t.series_id = o.series_id
      where o.series_id = s.id and o.occurrence_at >= coalesce((
        select least(min(l.occurrence_at) filter (where state = 'open'),
          (array_agg(least(l.occurrence_at, l.closed_at) order by closed_at desc, occurrence_at desc)
            filter (where state in ('completed', 'skipped')))[1])
        from occurrences l where l.series_id = s.id), '-infinity')) o`
  /** Of the user `x.user_id`: chosen for notifications, else that of the account. */
  const presentZone = sql`coalesce(
    (select p.time_zone from notification_preferences p where p.user_id = x.user_id),
    (select a.time_zone from users a where a.id = x.user_id))`

  return {
    version: async () =>
      (await sql<{ version: string }[]>`select version from zone_database`)[0]?.version ?? null,
    async record(version) {
      await sql`insert into zone_database (version) values (${version})
        on conflict (single) do update set version = greatest(zone_database.version, excluded.version)`
    },
    alone: async (work) =>
      inTransaction(sql, async (tx) => {
        const [row] = await tx<
          { is_mine: boolean }[]
        >`select pg_try_advisory_xact_lock(${ZONE_LOCK}) as is_mine`
        return row!.is_mine ? await work() : null
      }),
    async activeSeries(after, limit) {
      const rows = await sql<SeriesJson[]>`
        select ${ofSeries} where s.state = 'active' and s.walls is not null and ${after ? sql`s.id > ${after}` : sql`true`}
        order by s.id limit ${limit}`
      return rows.map((row) => walledSeries(row, row.series.time_zone))
    },
    async openTasks(after, limit) {
      const rows = await sql<{ task: WalledTaskRow }[]>`
        select ${walledTask} as task from tasks t
        where is_open and deleted_at is null and time_zone <> 'UTC' and ${after ? sql`id > ${after}` : sql`true`}
          and (due_date is not null or remind_at is not null
            or exists (select from reminders r where r.task_id = t.id and r.fire_at is not null))
        order by id limit ${limit}`
      return rows.map(({ task }) => {
        const walled = walledOf(task, task.time_zone)
        const order = dueOrder(walled.task)
        const isSorted = walled.task.dueAt !== null || order.getTime() === Date.parse(task.due_order)
        return isSorted
          ? walled
          : { ...walled, sorted: { id: task.id, version: task.version, dueOrder: order } }
      })
    },
    async floatingSeries(limit) {
      const rows = await sql<(SeriesJson & { zone: string })[]>`
        select x.zone, ${ofSeries} join (
          select distinct series_id as id, time_zone, ${presentZone} as zone from tasks x
          where is_floating and is_open and deleted_at is null and recurrence_rule is not null) x using (id)
        where s.state = 'active' and s.walls is not null and s.time_zone <> x.zone order by s.id limit ${limit}`
      return rows.map((row) => walledSeries(row, row.zone))
    },
    async floatingTasks(limit) {
      const rows = await sql<{ task: WalledTaskRow; zone: string }[]>`
        select ${walledTask} as task, x.zone from (
          select id, ${presentZone} as zone from tasks x where is_floating and is_open and deleted_at is null) x
        join tasks t using (id)
        where t.time_zone <> x.zone and t.recurrence_rule is null order by t.id limit ${limit}`
      return rows.map(({ task, zone }) => walledOf(task, zone))
    },
    async sortAgain(tasks) {
      if (tasks.length === 0) return
      await sql`update tasks t set due_order = n.due_order
        from jsonb_to_recordset(${sql.json(tasks.map(({ id, version, dueOrder: order }) => ({ id, version, due_order: order })) as never)})
          n (id uuid, version int, due_order timestamptz)
        where t.id = n.id and t.version = n.version`
    },
  }
}

interface SeriesJson {
  series: WalledSeriesRow
  occurrences: WalledOccurrenceRow[] | null
  tasks: WalledTaskRow[] | null
}

function walledOf(row: WalledTaskRow, zone: string): Walled<WalledTask> {
  const { reminders, ...task } = row
  return {
    id: row.id,
    userId: row.user_id,
    zone,
    task: taskFromRow(fromJson(task)),
    dueWall: row.due_wall,
    remindWall: row.remind_wall,
    reminders: (reminders ?? []).map((one) => ({
      reminder: reminderFromRow(fromJson(one)),
      wall: one.remind_wall,
    })),
  }
}

function walledSeries({ series, occurrences, tasks }: SeriesJson, zone: string): Walled<WalledSeries> {
  return {
    id: series.id,
    userId: series.user_id,
    zone,
    series: seriesFromRow(fromJson(series)),
    walls: series.walls,
    occurrences: (occurrences ?? []).flatMap((one) => {
      const [wall, timeZone] = one.occurrence_wall?.split(/[[\]]/) ?? []
      return wall && timeZone ? [{ occurrence: occurrenceFromRow(fromJson(one)), wall, timeZone }] : []
    }),
    tasks: (tasks ?? []).map((task) => walledOf(task, zone)),
  }
}

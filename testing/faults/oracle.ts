import type { Sql } from '../../shared/db/connect.ts'
import { replayUser } from '../../shared/db/replay/replay-user.ts'
import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { Report } from './client.ts'
import { replayEvents, type EventRow, type Replay } from './series-model.ts'
import type { World } from './world.ts'

/** A promise that was broken. */
export interface Violation {
  rule: string
  detail: string
}

export interface Evidence {
  users: readonly string[]
  reports: readonly Report[]
  /** Active series without an open occurrence when all messages were done and no sweep had helped yet. */
  stuckBeforeSweep: readonly string[]
}

export type Fault = (rule: string, detail: string) => void

/** Judges a world at rest: by its tables, by what the broker accepted and delivered, and by what clients were told. */
export async function checkWorld(world: World, evidence: Evidence): Promise<Violation[]> {
  const violations: Violation[] = []
  const fault: Fault = (rule, detail) => violations.push({ rule, detail })
  for (const userId of evidence.users) {
    const reports = evidence.reports.filter(({ command }) => command.userId === userId)
    const { events } = await checkUser(world.sql, { userId, reports }, fault)
    for (const event of events) world.story.push(historyLine(event))
    checkBroker(world, events, fault)
    await checkReplay(world.sql, userId, fault)
  }
  checkUnaided(world, evidence, fault)
  return violations
}

/** Judges one user by the tables and by what clients were told. Resolves to the events and what they tell. */
export async function checkUser(
  sql: Sql,
  { userId, reports }: { userId: string; reports: readonly Report[] },
  fault: Fault,
): Promise<{ events: EventRow[]; replay: Replay }> {
  const events = await sql<EventRow[]>`
    select user_id, seq, id, type, time, traceparent, data from events where user_id = ${userId} order by seq`
  const replay = replayEvents(events)
  for (const { rule, detail } of replay.faults) fault(rule, detail)
  checkSequence(events, fault)
  await checkTasks(sql, userId, replay, fault)
  await checkSeries(sql, userId, replay, fault)
  await checkCounters(sql, userId, events.length, fault)
  const traces = Map.groupBy(events, traceIdOf)
  const views = Map.groupBy(events, (event) => event.data.task?.id)
  for (const report of reports) {
    const caused = (traces.get(report.traceId) ?? []).filter((event) => event.data.actor.type === 'user')
    checkReport(report, { caused, viewsOf: (taskId) => views.get(taskId) ?? [] }, fault)
  }
  return { events, replay }
}

/** What the events say and what the tables say agrees, whatever has happened. `sql` is in no transaction. */
export async function checkReplay(
  sql: Sql,
  userId: string,
  fault: Fault,
  without: readonly string[] = [],
): Promise<void> {
  const [last] = await sql<{ time: Date }[]>`
    select time from events where user_id = ${userId} order by seq desc limit 1`
  if (!last) return
  const { differences } = await replayUser(sql, userId, { now: last.time, apply: false, without })
  for (const difference of differences) fault('the events tell every row', difference)
}

/** One line of the history that ends the story of a run. */
function historyLine({ user_id: user, seq, time, type, data: { task, series, actor } }: EventRow): string {
  const about = task
    ? ['task', task.id.slice(-3), 'v', task.version, 'for', task.occurrence_at, task.recurrence_rule]
    : ['series', series?.id.slice(-3), series?.state, series?.recurrence_rule, series?.start_at]
  return [user.slice(-3), seq, time.toISOString(), type, ...about, task?.repeat_from, actor.made_by].join(' ')
}

function checkSequence(events: readonly EventRow[], fault: Fault): void {
  const numbers = events.map((event) => event.seq)
  if (numbers.some((seq, index) => seq !== index + 1)) fault('sequence without a gap', numbers.join())
}

/** Every event published and delivered at least once; first acceptances, and first deliveries, in sequence. */
function checkBroker(world: World, events: readonly EventRow[], fault: Fault): void {
  const ids = new Set(events.map((event) => event.id))
  for (const topic of ['task-events', 'task-updates']) {
    const accepted = world.topics.accepted(topic).filter((event) => ids.has(event.id))
    const firsts = [...new Set(accepted.map((event) => Number(event.sequence)))]
    const expected = events
      .filter((event) => topic === 'task-events' || event.data.task)
      .map((event) => event.seq)
    const missing = expected.filter((seq) => !firsts.includes(seq))
    if (missing.length > 0) fault('every event is published', `${topic} lacks ${missing.join()}`)
    if (firsts.some((seq, index) => index > 0 && seq < firsts[index - 1]!)) {
      fault('published in sequence', `${topic}: ${firsts.join()}`)
    }
  }
  const delivered = world.topics.firstDeliveries.filter((event) => ids.has(event.id))
  const undelivered = events.filter(({ id }) => !delivered.some((event) => event.id === id))
  if (undelivered.length > 0) fault('every event is delivered', undelivered.map((event) => event.seq).join())
}

/** Tables say what the events say, and each active series has exactly one open task. */
async function checkTasks(sql: Sql, userId: string, replay: Replay, fault: Fault): Promise<void> {
  const rows = await sql<
    {
      id: string
      version: number
      title: string
      state: string
      occurrence_at: Date | null
      parent_id: string | null
    }[]
  >`
    select id, version, title, occurrence_at, parent_id,
      case when deleted_at is not null then 'deleted' when completed_at is not null then 'completed' else 'open' end
        as state
    from tasks where user_id = ${userId}`
  const told = [...replay.tasks.values()].map(taskLine).toSorted()
  const found = rows
    .map((row) =>
      [row.id, row.version, row.title, row.state, row.occurrence_at?.toISOString(), row.parent_id].join(' '),
    )
    .toSorted()
  if (told.join('\n') !== found.join('\n')) fault('tasks are what their events say', difference(told, found))
  const present = new Set(rows.filter(({ state }) => state !== 'deleted').map(({ id }) => id))
  const orphans = rows.filter(
    ({ id, parent_id: parent }) => present.has(id) && parent !== null && !present.has(parent),
  )
  if (orphans.length > 0) fault('every parent can be read', orphans.map(({ id }) => id).join())
}

const taskLine = (task: TaskView): string => {
  const state = task.deleted_at ? 'deleted' : task.is_completed ? 'completed' : 'open'
  const at = task.occurrence_at === null ? undefined : new Date(task.occurrence_at).toISOString()
  return [task.id, task.version, task.title, state, at, task.parent_id].join(' ')
}

async function checkSeries(sql: Sql, userId: string, replay: Replay, fault: Fault): Promise<void> {
  const rows = await sql<{ id: string; state: string; live_task_id: string | null; generated: number }[]>`
    select id, state, live_task_id, generated from series where user_id = ${userId}`
  const occurrences = await sql<{ series_id: string; occurrence_at: Date; state: string }[]>`
    select series_id, occurrence_at, o.state from series s join occurrences o on o.series_id = s.id
    where s.user_id = ${userId} order by 1, 2`
  const models = [...replay.series.values()]
  const told = models.map((model) =>
    [model.id, model.isActive ? 'active' : 'ended', model.live, model.generated].join(' '),
  )
  const found = rows.map((row) => [row.id, row.state, row.live_task_id, row.generated].join(' '))
  if (told.toSorted().join('\n') !== found.toSorted().join('\n')) {
    fault('series are what their events say', difference(told, found))
  }
  const toldRows = models.flatMap((model) =>
    [...model.rows].map(([at, state]) => `${model.id} ${new Date(at).toISOString()} ${state}`),
  )
  const foundRows = occurrences.map(
    (row) => `${row.series_id} ${row.occurrence_at.toISOString()} ${row.state}`,
  )
  if (toldRows.toSorted().join('\n') !== foundRows.toSorted().join('\n')) {
    fault('occurrences are what their events say', difference(toldRows, foundRows))
  }
  for (const model of models.filter(({ isActive }) => isActive)) {
    const open = [...replay.tasks.values()].filter(
      (task) =>
        task.series_id === model.id && !task.is_completed && task.deleted_at === null && task.is_recurring,
    )
    if (open.length !== 1 || open[0]!.id !== model.live) {
      fault(
        'one open task per active series',
        `${model.id}: live ${model.live}, open ${open.map((t) => t.id).join()}`,
      )
    }
  }
}

async function checkCounters(sql: Sql, userId: string, events: number, fault: Fault): Promise<void> {
  const [row] = await sql<
    { kept: string; counted: string; tags: string; counted_tags: string; waiting: number }[]
  >`
    with mine as (select * from tasks where user_id = ${userId} and deleted_at is null),
      labels as (select key, count(*) filter (where completed_at is null) as active,
          count(*) filter (where completed_at is not null) as completed
        from mine, unnest(tag_keys) key group by key)
    select (select concat_ws(' ', last_seq, active_tasks, completed_tasks) from user_counters
        where user_id = ${userId}) as kept,
      (select concat_ws(' ', ${events}::int, count(*) filter (where completed_at is null),
        count(*) filter (where completed_at is not null)) from mine) as counted,
      (select coalesce(string_agg(concat_ws(' ', key, active, completed), ', ' order by key), '') from tags
        where user_id = ${userId} and active + completed <> 0) as tags,
      (select coalesce(string_agg(concat_ws(' ', key, active, completed), ', ' order by key), '') from labels)
        as counted_tags,
      (select count(*)::int from outbox where user_id = ${userId}) as waiting`
  // A user whose every command failed has no row at all.
  if (events > 0 && row!.kept !== row!.counted)
    fault('counters equal a recount', `${row!.kept}, counted ${row!.counted}`)
  if (row!.tags !== row!.counted_tags)
    fault('tags equal a recount', `${row!.tags}, counted ${row!.counted_tags}`)
  if (row!.waiting > 0) fault('the outbox is empty', `${row!.waiting} events wait`)
}

const PRIMARY: Record<string, string> = {
  create: 'task.created',
  complete: 'task.completed',
  skip: 'task.occurrence.skipped',
  reopen: 'task.reopened',
  delete: 'task.deleted',
  restore: 'task.restored',
}

/** An accepted write happened once, a refused one not at all, and every retry got the first answer. */
function checkReport(
  { command, outcome, answers }: Report,
  { caused, viewsOf }: { caused: readonly EventRow[]; viewsOf: (taskId: string) => readonly EventRow[] },
  fault: Fault,
): void {
  const what = `${command.name} ${command.path}`
  if (outcome === 'refused' && caused.length > 0) {
    fault('a refused write changes nothing', `${what} made ${caused.map((event) => event.type).join()}`)
  }
  const type = PRIMARY[command.name]
  const primary = caused.filter((event) => event.type === (type ?? 'task.updated'))
  // A reopened task deletes its successor, an edit of all occurrences updates several: one event per task either way.
  const tasks = new Set(primary.map((event) => event.data.task?.id))
  if (primary.length > tasks.size || (command.name === 'create' && primary.length > 1)) {
    fault('an accepted write happens once', `${what} made ${primary.length} ${type ?? 'task.updated'}`)
  }
  if (outcome !== 'accepted') return
  if (new Set(answers).size > 1) fault('a retry gets the first answer', `${what}: ${answers.join(' | ')}`)
  if (command.method === 'DELETE') return
  const answer = JSON.parse(answers[0]!) as TaskView
  const shown = viewsOf(answer.id).some((event) => event.data.task && sameTask(event.data.task, answer))
  if (!shown) fault('an answer is a state that was', `${what}: ${answers[0]}`)
  if (command.name === 'create' && primary.length !== 1) {
    fault('an accepted write happens once', `${what} made ${primary.length} task.created`)
  }
}

const traceIdOf = ({ traceparent }: EventRow): string | undefined => traceparent?.split('-')[1]

const sameTask = (a: TaskView, b: TaskView): boolean =>
  a.id === b.id && a.version === b.version && a.title === b.title && a.updated_at === b.updated_at

/** Events alone keep every series going; the sweep is for what the broker has given up on. */
function checkUnaided(world: World, { stuckBeforeSweep }: Evidence, fault: Fault): void {
  const gaveUp = world.topics.messages.some((message) => message.state === 'dead')
  if (stuckBeforeSweep.length > 0 && !gaveUp) {
    fault(
      'the event makes the next occurrence',
      `without the sweep ${stuckBeforeSweep.join()} would have none`,
    )
  }
}

const difference = (told: readonly string[], found: readonly string[]): string =>
  `told but not found: [${told.filter((line) => !found.includes(line)).join('; ')}], found but not told: [${found
    .filter((line) => !told.includes(line))
    .join('; ')}]`

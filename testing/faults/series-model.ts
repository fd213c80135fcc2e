import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { SeriesView } from '../../shared/domain/recurrence/series.ts'
import { followSubtasks } from './subtask-model.ts'
import { datesWithin, dayOf, firstAfter, fromCompletion, type Pattern } from './plain-dates.ts'

/** One row of the `events` table, with the parts of `data` that matter here. */
export interface EventRow {
  user_id: string
  seq: number
  id: string
  type: string
  time: Date
  traceparent: string | null
  data: {
    task?: TaskView
    series?: SeriesView
    changes?: Record<string, { old: unknown; new: unknown }>
    missed?: string[]
    actor: { type: string; made_by?: string }
  }
}

/** A series as its events tell it. Times are ms since the epoch. */
export interface SeriesModel {
  id: string
  userId: string
  pattern: Pattern
  isActive: boolean
  /** The open occurrence. */
  live: string | null
  rows: Map<number, string>
  generated: number
  /** The occurrence that was open last: its date, when it was closed, and whether it has been opened by itself since. */
  closed: { date: number; at: number; standsByItself: boolean } | null
  /** When each date was closed that is so now. */
  closings: Map<number, number>
  /** When what was skipped was due, which may be later than its date. */
  skipped: Map<number, number>
  /** Traces of the requests that closed occurrences. */
  traces: Set<string | null>
}

export interface Replay {
  series: Map<string, SeriesModel>
  /** Every task as its latest event shows it. */
  tasks: Map<string, TaskView>
  /** What the events themselves do wrong. */
  faults: { rule: string; detail: string }[]
  /** Occurrences made by the sweep. */
  sweeps: number
}

const ms = (text: string | null): number => Date.parse(text ?? '')
const traceIdOf = (traceparent: string | null): string | null => traceparent?.split('-')[1] ?? null

/**
 * Tells the history of one user again from the events alone, in their order, and checks each step against what Daybook
 * promises: no second open occurrence, every successor at the date that the rule gives, none without a reason.
 */
export function replayEvents(events: readonly EventRow[]): Replay {
  const replay: Replay = { series: new Map(), tasks: new Map(), faults: [], sweeps: 0 }
  const subtasks = followSubtasks(events, replay, lastClosing)
  for (const [place, event] of events.entries()) {
    const { task } = event.data
    const before = task && replay.tasks.get(task.id)
    const fault = (rule: string, detail: string) =>
      replay.faults.push({ rule, detail: `event ${event.seq} (${event.type}): ${detail}` })
    if (task) {
      if (task.version !== (before?.version ?? 0) + 1) {
        fault(
          'one change per version',
          `task ${task.id} goes from version ${before?.version} to ${task.version}`,
        )
      }
      replay.tasks.set(task.id, task)
    }
    subtasks(place, before)
    if (task) followTask({ replay, event, task, before, fault })
    else if (event.type === 'recurring.task.error') fault('no error', JSON.stringify(event.data))
    else if (event.data.series) followSeries(replay, event.data.series, fault)
  }
  return replay
}

interface Step {
  replay: Replay
  event: EventRow
  task: TaskView
  before: TaskView | undefined
  fault: (rule: string, detail: string) => void
}

function followTask({ replay, event, task, before, fault }: Step): void {
  const { series, tasks } = replay
  const at = ms(task.occurrence_at)
  if (
    task.series_id !== null &&
    task.series_id !== before?.series_id &&
    event.type !== 'task.occurrence.generated'
  ) {
    // In the series it leaves, its date stays taken.
    if (before?.series_id) series.get(before.series_id)?.rows.set(ms(before.occurrence_at), 'skipped')
    series.set(task.series_id, newModel(task))
    // It leaves the series it came from, and no open occurrence there.
    if (before?.series_id) series.get(before.series_id)?.rows.set(ms(before.occurrence_at), 'skipped')
    return
  }
  const model = task.series_id === null ? undefined : series.get(task.series_id)
  if (!model) return
  const isLive = model.live === task.id
  const close = (state: string) => {
    model.rows.set(at, state)
    model.closings.set(at, event.time.getTime())
    if (state === 'skipped') model.skipped.set(at, ms(model.pattern.isAllDay ? task.due_date : task.due_at))
    model.traces.add(traceIdOf(event.traceparent))
    if (!isLive) return
    model.live = null
    model.closed = { date: at, at: event.time.getTime(), standsByItself: false }
  }
  /** One nobody has touched makes way for the task it came from. */
  const takeBackSuccessor = () => {
    const successor = model.live === null ? undefined : tasks.get(model.live)
    if (!successor) return
    if (successor.version !== 1) fault('a changed successor stays', successor.id)
    model.rows.delete(ms(successor.occurrence_at))
    model.generated -= 1
  }
  const openByItself = () => {
    model.rows.set(at, 'open')
    model.closings.delete(at)
    if (model.closed?.date === at) model.closed.standsByItself = true
  }
  const revive = () => {
    model.live = task.id
    model.isActive = true
    model.rows.set(at, 'open')
    model.closings.delete(at)
  }

  switch (event.type) {
    case 'task.updated':
      if (isLive && task.recurrence_rule === null) {
        model.live = null
        model.isActive = false
      } else if (isLive && before?.occurrence_at !== task.occurrence_at) {
        model.rows.delete(ms(before!.occurrence_at))
        if (model.rows.has(at)) fault('one task per occurrence', `${task.occurrence_at} is taken`)
        model.rows.set(at, 'open')
      }
      return
    case 'task.completed':
      return close('completed')
    case 'task.occurrence.skipped':
      if (!isLive) fault('only the open occurrence is skipped', task.id)
      return close('skipped')
    case 'task.deleted':
      if (!task.is_completed) close('skipped')
      if (isLive) model.isActive = false
      return
    case 'task.reopened': {
      if (task.recurrence_rule === null) return openByItself()
      takeBackSuccessor()
      return revive()
    }
    case 'task.restored':
      if (task.is_completed) return
      if (task.recurrence_rule === null) return openByItself()
      takeBackSuccessor()
      return revive()
    case 'task.occurrence.generated':
      if (event.data.actor.made_by === 'cron/sweep-series') replay.sweeps += 1
      return followGenerated(model, event, task, fault)
    default:
      fault('known events', event.type)
  }
}

function followGenerated(model: SeriesModel, event: EventRow, task: TaskView, fault: Step['fault']): void {
  const at = ms(task.occurrence_at)
  if (!model.isActive) fault('no successor in an ended series', task.id)
  if (model.live !== null) fault('one open occurrence', `${task.id} made beside ${model.live}`)
  const expected = expectedNext(model)
  if (expected && expected.next !== at)
    fault('dates follow the rule', `${task.occurrence_at} instead of ${iso(expected.next)}`)
  const missed = (event.data.missed ?? []).map(ms)
  if (expected && missed.join() !== expected.missed.join()) {
    fault(
      'what was passed over is recorded',
      `${missed.map(iso).join()} instead of ${expected.missed.map(iso).join()}`,
    )
  }
  // Mostly of the last one. A message that comes late or again may make the successor of a later completion.
  if (
    event.data.actor.made_by === 'consumer/create-next-occurrence' &&
    !model.traces.has(traceIdOf(event.traceparent))
  ) {
    fault('the trace goes on', `${event.traceparent} continues none of ${[...model.traces].join()}`)
  }
  for (const date of missed) model.rows.set(date, 'missed')
  if (model.rows.has(at)) fault('one task per occurrence', `${task.occurrence_at} is taken`)
  model.rows.set(at, 'open')
  model.live = task.id
  model.generated += 1
}

function followSeries(replay: Replay, view: SeriesView, fault: Step['fault']): void {
  const model = replay.series.get(view.id)
  if (!model) return fault('known series', view.id)
  if (view.state === 'active') {
    model.pattern = patternOf(view)
    model.generated = view.generated
    return
  }
  if (model.isActive) {
    if (model.live !== null) fault('only a series without an open occurrence runs out', view.id)
    const { next, missed } = expectedNext(model) ?? { next: null, missed: [] }
    if (next !== null)
      fault('every closed occurrence has a successor', `ended although ${iso(next)} is to come`)
    for (const date of missed) model.rows.set(date, 'missed')
  }
  model.isActive = false
}

/**
 * The next occurrence: the first date of the rule after both the occurrence that was open last and the moment at which
 * it was closed, and not one that there has been; a day is over when it ends. Repeating from completion, the rule begins
 * on that day, or on that of what was skipped. When that
 * occurrence has been opened again as a task by itself, the latest closing counts; null where there is none.
 */
function expectedNext(model: SeriesModel): { next: number | null; missed: number[] } | null {
  const { pattern, closed, skipped, rows, generated } = model
  if (!closed) return { next: null, missed: [] }
  const { date, at } = lastClosing(model) ?? {}
  if (date === undefined || at === undefined) return null
  const isFree = (instant: number) => !rows.has(instant)
  const closedOn = pattern.isAllDay ? dayOf(at, pattern.timeZone) : at
  if (pattern.repeatFrom === 'due') {
    const after = Math.max(date, pattern.isAllDay ? closedOn - 86_400_000 : at)
    return {
      next: firstAfter(pattern, after, isFree),
      missed: datesWithin(pattern, date, after).filter(isFree),
    }
  }
  const count = /COUNT=(\d+)/.exec(pattern.rule)?.[1]
  if (count !== undefined && generated >= Number(count)) return { next: null, missed: [] }
  const isSkipped = rows.get(date) === 'skipped'
  const from = isSkipped ? Math.max(closedOn, date, skipped.get(date) || 0) : closedOn
  const anew = fromCompletion(pattern, from)
  return { next: firstAfter(anew, Math.max(from, anew.start), isFree), missed: [] }
}

/** The occurrence from which the series goes on. */
function lastClosing({ closed, closings }: SeriesModel): { date: number; at: number } | null {
  if (closed && !closed.standsByItself) return closed
  const byTime = [...closings].toSorted(([a, closedA], [b, closedB]) => closedA - closedB || a - b)
  const [date, at] = byTime.at(-1) ?? []
  return closed && date !== undefined && at !== undefined ? { date, at } : null
}

const newModel = (task: TaskView): SeriesModel => ({
  id: task.series_id!,
  userId: task.user_id,
  isActive: true,
  live: task.id,
  generated: 1,
  closed: null,
  traces: new Set(),
  closings: new Map(),
  skipped: new Map(),
  rows: new Map([[ms(task.occurrence_at), 'open']]),
  pattern: {
    rule: task.recurrence_rule!,
    start: ms(task.occurrence_at),
    timeZone: task.time_zone,
    monthEnd: task.month_end ?? 'skip',
    repeatFrom: task.repeat_from,
    isAllDay: task.occurrence_at?.length === 'YYYY-MM-DD'.length,
  },
})

const patternOf = (view: SeriesView): Pattern => ({
  rule: view.recurrence_rule,
  start: ms(view.start_at),
  timeZone: view.time_zone,
  monthEnd: view.month_end,
  repeatFrom: view.repeat_from,
  isAllDay: view.is_all_day,
})

const iso = (instant: number | null): string =>
  instant === null ? 'nothing' : new Date(instant).toISOString()

import type { TaskView } from '../../shared/domain/tasks/task.ts'
import type { EventRow, Replay, SeriesModel } from './series-model.ts'

type Tasks = ReadonlyMap<string, TaskView>

/**
 * Checks, event by event, what Daybook promises of subtasks: a task that is completed, deleted or restored takes along
 * what lies below it, and an occurrence has what lay below the last, once. Call it for each event when its task is
 * known and before its series is; `before` is the task as it was.
 */
export function followSubtasks(
  events: readonly EventRow[],
  { tasks, series, faults }: Replay,
  lastClosing: (model: SeriesModel) => { date: number } | null,
): (place: number, before: TaskView | undefined) => void {
  /** Tasks of the change under way, with what they were. */
  let closing: { task: TaskView; before: TaskView | undefined; type: string }[] = []
  let copies = new Set<string>()

  return (place, before) => {
    const event = events[place]!
    const { task } = event.data
    const fault = (rule: string, detail: string) =>
      faults.push({ rule, detail: `event ${event.seq} (${event.type}): ${detail}` })
    if (event.type === 'task.occurrence.generated') {
      const made = createdWith(events, place)
      copies = new Set(made.map(({ id }) => id))
      const found = shapeOf(new Map(made.map((one) => [one.id, one])), task!.id, null)
      const wanted = shapesOfLast(place)
      // Usually as it is by now; else somebody has changed it while the copies were made.
      if (wanted && !wanted.some((shape) => shape === found))
        fault('the next occurrence has the subtasks of the last', `${found} instead of another`)
    } else if (event.type === 'task.created' && event.data.actor.type === 'system' && !copies.has(task!.id)) {
      fault('subtasks are copied with their occurrence', task!.id)
    }
    if (task) closing.push({ task, before, type: event.type })
    if (isSameChange(event, events[place + 1])) return
    for (const one of closing) checkTakenAlong(one, fault)
    closing = []
  }

  function checkTakenAlong(
    { task, before, type }: (typeof closing)[number],
    fault: (rule: string, detail: string) => void,
  ) {
    const below = [...tasks.values()].filter((one) => one.parent_id === task.id)
    const left = below.filter((one) => {
      if (type === 'task.completed') return one.deleted_at === null && !one.is_completed
      if (type === 'task.restored') return one.deleted_at !== null && one.deleted_at === before?.deleted_at
      return task.deleted_at !== null && one.deleted_at === null
    })
    if (left.length > 0) fault('subtasks go with their parent', left.map(({ id }) => id).join())
  }

  /** What lay below the occurrence that was closed last: as it is by now, and at any moment since then. */
  function shapesOfLast(place: number): IteratorObject<string> | null {
    const { series_id: seriesId } = events[place]!.data.task!
    const model = series.get(seriesId ?? '')
    const closed = model && lastClosing(model)
    if (!closed) return null
    const isLast = ({ series_id: id, occurrence_at: at }: TaskView) =>
      id === seriesId && Date.parse(at ?? '') === closed.date
    const last = [...tasks.values()].find(isLast)
    return last ? shapesSince(last, place) : null
  }

  function* shapesSince(last: TaskView, place: number): Generator<string> {
    yield shapeOf(tasks, last.id, last.deleted_at)
    const begun = events.findLastIndex(({ data }, index) => index < place && data.task?.id === last.id)
    for (let end = place - 1; end >= begun; end -= 1) {
      const shown = events.slice(0, end + 1).flatMap(({ data }) => data.task ?? [])
      yield shapeOf(new Map(shown.map((task) => [task.id, task])), last.id, last.deleted_at)
    }
  }
}

const isSameChange = (event: EventRow, next: EventRow | undefined): boolean =>
  next !== undefined && next.traceparent === event.traceparent && Number(next.time) === Number(event.time)

/** The tasks that were made in one change with an occurrence; its reminders may stand between them. */
function createdWith(events: readonly EventRow[], place: number): TaskView[] {
  const made: TaskView[] = []
  for (let next = place + 1; isSameChange(events[place]!, events[next]); next += 1) {
    const { type, data } = events[next]!
    if (type === 'task.occurrence.generated') break
    if (type === 'task.created' && data.actor.type === 'system') made.push(data.task!)
  }
  return made
}

/** Titles of what lies below a task, in the user's order, each with what lies below it. */
function shapeOf(tasks: Tasks, id: string, deletedAt: string | null): string {
  const isThere = (task: TaskView) => task.deleted_at === null || task.deleted_at === deletedAt
  const below = [...tasks.values()].filter((task) => task.parent_id === id && isThere(task))
  const inOrder = below.toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1))
  return inOrder.map((task) => `${task.title}(${shapeOf(tasks, task.id, deletedAt)})`).join()
}

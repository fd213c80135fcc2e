import { revise, seriesFact, updatedFact, type Fact, type TaskDecision } from '../decision.ts'
import { decideDue } from './due.ts'
import { floatsAfter, inZoneOf } from './floating.ts'
import { decideSeriesEdit, differs, recurrenceAfter } from '../recurrence/edit-series.ts'
import { invalidField } from '../errors.ts'
import { SeriesEnded, SeriesUpdated } from '../events.ts'
import { decideSeries, NEEDS_RULE, openOccurrence } from '../recurrence/new-series.ts'
import type { Occurrence, Series } from '../recurrence/series.ts'
import { instantOf } from '../recurrence/wall-clock.ts'
import { mustBeAhead } from '../reminders/reminder-plan.ts'
import { sameInstant } from '../reminders/task-reminders.ts'
import type { EditScope, Task, TaskPatch } from './task.ts'

interface State {
  task: Task
  series: Series | null
  /** Other open tasks of the series, for `scope: all`. */
  siblings: readonly Task[]
}

interface Context {
  scope: EditScope
  seriesId: string
  timeZone: string
  now: Date
}

/**
 * Applies a merge patch. Within a series, `this` edits one occurrence; `future` also the template of those to come,
 * and a new due time moves the whole series from here on; `all` rewrites the content of its other open tasks as well
 * (earlier ones that were opened again); what is completed is history. The rule and its dates belong to the series and
 * therefore always count from here on.
 */
export function decideEdit(
  { task, series, siblings }: State,
  patch: TaskPatch,
  context: Context,
): TaskDecision {
  const due = decideDue(task, inZoneOf(patch, context.timeZone))
  const remindAt = patch.remind_at === undefined ? task.remindAt : instantOf(patch.remind_at, due.timeZone)
  // What a client sends back as it got it may have passed since.
  if (remindAt && !sameInstant(remindAt, task.remindAt)) mustBeAhead('remind_at', remindAt, context.now)
  const edited: Task = {
    ...task,
    ...contentOf(patch),
    ...due,
    isFloating: floatsAfter(task, patch),
    remindAt,
  }
  if (task.recurrenceRule === null || series === null) return editPlain(task, edited, patch, context)
  if (series.liveTaskId !== task.id) return editClosed({ task, series }, edited, patch, context)
  const decision =
    patch.recurrence_rule === null
      ? decideEnd({ task, series }, edited, context.now)
      : editLive({ task, series }, edited, patch, context)
  const others = context.scope === 'all' ? rewrite(siblings, contentOf(patch), context.now) : []
  return {
    ...decision,
    changedTasks: [...(decision.changedTasks ?? []), ...others],
    facts: [...decision.facts, ...others.map(({ fact }) => fact)],
  }
}

function editPlain(task: Task, edited: Task, patch: TaskPatch, context: Context): TaskDecision {
  const { exdates = [], rdates = [], month_end = null, repeat_from = task.repeatFrom } = patch
  if (!patch.recurrence_rule) {
    if (exdates.length + rdates.length > 0) throw invalidField('recurrence_rule', NEEDS_RULE)
    return finish(task, { ...edited, repeatFrom: repeat_from }, context.now)
  }
  if (task.completedAt) throw invalidField('recurrence_rule', 'a completed task cannot become recurring')
  const { recurrence_rule, due_at } = patch
  const request = { recurrence_rule, due_at, exdates, rdates, month_end, repeat_from }
  const made = decideSeries(edited, request, context)
  return {
    ...finish(task, made.task, context.now),
    series: made.series,
    newOccurrences: [made.occurrence],
    ...(task.seriesId && task.occurrenceAt && { changedOccurrences: [vacatedOccurrence(task, context.now)] }),
  }
}

/** What a task that moves on to another series leaves behind: its instant stays taken in the former one. */
const vacatedOccurrence = ({ id, seriesId, occurrenceAt }: Task, closedAt: Date): Occurrence => ({
  seriesId: seriesId!,
  occurrenceAt: occurrenceAt!,
  state: 'skipped',
  taskId: id,
  closedAt,
})

/** An occurrence that is done can be corrected by itself; what it says of its series is history. */
function editClosed(
  { task, series }: { task: Task; series: Series },
  edited: Task,
  patch: TaskPatch,
  { scope, now }: Context,
): TaskDecision {
  const onlyOpen = 'only the open occurrence can change its series'
  if (scope !== 'this') throw invalidField('scope', onlyOpen)
  const then = { ...series, ...task.seriesTerms, rule: task.recurrenceRule!, repeatFrom: task.repeatFrom }
  if (patch.recurrence_rule === null || differs(recurrenceAfter(then, patch), then)) {
    throw invalidField('recurrence_rule', onlyOpen)
  }
  return finish(task, edited, now)
}

function editLive(
  { task, series }: { task: Task; series: Series },
  edited: Task,
  patch: TaskPatch,
  context: Context,
): TaskDecision {
  const { scope, now } = context
  const content = scope === 'this' ? {} : contentOf(patch)
  const template = { ...series.template, ...content, isFloating: edited.isFloating }
  const isSameTemplate = JSON.stringify(template) === JSON.stringify(series.template)
  const recurrence = decideSeriesEdit({ task, series }, edited, patch, context)
  if (!recurrence && isSameTemplate) return finish(task, edited, now)

  const after: Series = {
    ...(recurrence?.series ?? series),
    template,
    version: series.version + 1,
    updatedAt: now,
  }
  const decision = finish(task, recurrence?.task ?? edited, now, true)
  const { occurrenceAt } = decision.task
  const isMoved = occurrenceAt!.getTime() !== task.occurrenceAt!.getTime()
  return {
    ...decision,
    series: after,
    ...(isMoved && {
      droppedOccurrences: [{ seriesId: series.id, occurrenceAt: task.occurrenceAt! }],
      newOccurrences: [openOccurrence(series, occurrenceAt!, task.id)],
    }),
    facts: [...decision.facts, seriesFact(SeriesUpdated, after)],
  }
}

/** The task stays, without a rule; the series is over. */
function decideEnd({ task, series }: { task: Task; series: Series }, edited: Task, now: Date): TaskDecision {
  const ended = revise(series, now, { state: 'ended', liveTaskId: null })
  const decision = finish(task, { ...edited, recurrenceRule: null }, now)
  return { ...decision, series: ended, facts: [...decision.facts, seriesFact(SeriesEnded, ended)] }
}

function finish(before: Task, edited: Task, now: Date, isOfSeries = false): TaskDecision {
  const after = revise({ ...edited, version: before.version }, now, {})
  const fact = updatedFact(before, after, isOfSeries)
  return fact
    ? { task: after, changedTasks: [{ before, after }], facts: [fact] }
    : { task: before, facts: [] }
}

/** They keep their place below a parent: the new parent may be one of them. */
function rewrite(
  siblings: readonly Task[],
  { parentId: _place, ...content }: Content,
  now: Date,
): { before: Task; after: Task; fact: Fact }[] {
  return siblings.flatMap((before) => {
    const after = revise(before, now, content)
    const fact = updatedFact(before, after)
    return fact ? [{ before, after, fact }] : []
  })
}

type Content = Partial<Series['template']>

function contentOf(patch: TaskPatch): Content {
  return {
    ...(patch.title !== undefined && { title: patch.title }),
    ...(patch.description !== undefined && { description: patch.description }),
    ...(patch.priority !== undefined && { priority: patch.priority }),
    ...(patch.tags !== undefined && { tags: patch.tags }),
    ...(patch.parent_id !== undefined && { parentId: patch.parent_id }),
  }
}

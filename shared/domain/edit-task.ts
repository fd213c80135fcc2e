import { revise, seriesFact, updatedFact, type TaskDecision } from './decision.ts'
import { decideDue } from './due.ts'
import { invalidField } from './errors.ts'
import { SeriesEnded, SeriesUpdated } from './events.ts'
import { decideSeries, readRule, type SeriesRequest } from './new-series.ts'
import { formatRule } from './recurrence-rule.ts'
import { occurrences } from './recurrence.ts'
import { patternOf, type Series } from './series.ts'
import type { EditScope, Task, TaskPatch } from './task.ts'

interface State {
  task: Task
  series: Series | null
  /** Earlier occurrences, for `scope: all`. */
  siblings: readonly Task[]
}

interface Context {
  scope: EditScope
  seriesId: string
  now: Date
}

/**
 * Applies a merge patch. Within a series, `this` edits one occurrence; `future` also the template of those to come,
 * and a new due time moves the whole series from here on; `all` rewrites the earlier ones' content as well. The rule
 * and its dates belong to the series and therefore always count from here on.
 */
export function decideEdit(state: State, patch: TaskPatch, context: Context): TaskDecision {
  const { task, series } = state
  const content = contentOf(patch)
  const due = decideDue(task, patch)
  const edited: Task = {
    ...task,
    ...content,
    ...due,
    remindAt: patch.remind_at ?? (patch.remind_at === null ? null : task.remindAt),
  }
  const isRecurring = task.recurrenceRule !== null && series !== null

  if (!isRecurring) {
    if (!patch.recurrence_rule) return finish(task, edited, context.now)
    if (task.completedAt) throw invalidField('recurrence_rule', 'a completed task cannot become recurring')
    const made = decideSeries(edited, requestOf(patch, patch.recurrence_rule, null), context)
    return {
      ...finish(task, made.task, context.now),
      ...{ series: made.series, newOccurrences: [made.occurrence] },
    }
  }
  if (series.liveTaskId !== task.id) {
    if (context.scope !== 'this' || changesSeries(task, series, patch)) {
      throw invalidField('scope', 'only the open occurrence can change its series')
    }
    return finish(task, edited, context.now)
  }
  if (patch.recurrence_rule === null) return decideEnd(task, edited, series, context.now)
  return editSeries({ ...state, series }, edited, patch, context)
}

function editSeries(
  state: State & { series: Series },
  edited: Task,
  patch: TaskPatch,
  context: Context,
): TaskDecision {
  const { task, series } = state
  const { scope, now } = context
  const content = contentOf(patch)
  const moves = scope !== 'this' && !sameDue(task, edited)
  const template = scope === 'this' ? series.template : { ...series.template, ...content }
  if (!moves && !changesSeries(task, series, patch)) {
    const decision = finish(task, edited, now)
    if (scope === 'this' || Object.keys(content).length === 0) return decision
    const updated = revise(series, now, { template })
    const past = scope === 'all' ? rewrite(state.siblings, content, now) : []
    return {
      task: decision.task,
      changedTasks: [...(decision.changedTasks ?? []), ...past],
      series: updated,
      facts: [
        ...decision.facts,
        seriesFact(SeriesUpdated, updated),
        ...past.flatMap(({ fact }) => fact ?? []),
      ],
    }
  }
  // The series starts anew at this occurrence: where it is moved to, or else where the rule has put it.
  const start = sameDue(task, edited) ? unmoved(edited, series) : edited
  const made = decideSeries(
    start,
    requestOf(patch, patch.recurrence_rule ?? remainingRule(series, task), series),
    context,
  )
  const restarted: Series = {
    ...made.series,
    ...{ id: series.id, template, version: series.version + 1, createdAt: series.createdAt },
  }
  const after: Task = { ...made.task, seriesId: series.id }
  const isMoved = made.occurrence.occurrenceAt.getTime() !== task.occurrenceAt!.getTime()
  const decision = finish(task, after, now)
  return {
    ...decision,
    series: restarted,
    ...(isMoved && {
      droppedOccurrences: [{ seriesId: series.id, occurrenceAt: task.occurrenceAt! }],
      newOccurrences: [{ ...made.occurrence, seriesId: series.id }],
    }),
    facts: [...decision.facts, seriesFact(SeriesUpdated, restarted)],
  }
}

/** The task stays, without a rule; the series is over. */
function decideEnd(task: Task, edited: Task, series: Series, now: Date): TaskDecision {
  const ended = revise(series, now, { state: 'ended', liveTaskId: null })
  const decision = finish(task, { ...edited, recurrenceRule: null }, now)
  return { ...decision, series: ended, facts: [...decision.facts, seriesFact(SeriesEnded, ended)] }
}

/** The new version of the task with `task.updated`, or the task as it was when nothing differs. */
function finish(before: Task, edited: Task, now: Date): TaskDecision {
  const after = revise({ ...edited, version: before.version }, now, {})
  const fact = updatedFact(before, after)
  return fact
    ? { task: after, changedTasks: [{ before, after }], facts: [fact] }
    : { task: before, facts: [] }
}

const rewrite = (siblings: readonly Task[], content: Partial<Task>, now: Date) =>
  siblings.flatMap((before) => {
    const after = revise(before, now, content)
    const fact = updatedFact(before, after)
    return fact ? [{ before, after, fact }] : []
  })

function contentOf(
  patch: TaskPatch,
): Partial<Pick<Task, 'title' | 'description' | 'priority' | 'tags' | 'parentId'>> {
  return {
    ...(patch.title !== undefined && { title: patch.title }),
    ...(patch.description !== undefined && { description: patch.description }),
    ...(patch.priority !== undefined && { priority: patch.priority }),
    ...(patch.tags !== undefined && { tags: patch.tags }),
    ...(patch.parent_id !== undefined && { parentId: patch.parent_id }),
  }
}

const requestOf = (patch: TaskPatch, rule: string, series: Series | null): SeriesRequest => ({
  recurrence_rule: rule,
  exdates: patch.exdates ?? series?.exdates ?? [],
  rdates: patch.rdates ?? series?.rdates ?? [],
  month_end: patch.month_end ?? (patch.recurrence_rule === undefined ? (series?.monthEnd ?? null) : null),
  repeat_from: patch.repeat_from ?? series?.repeatFrom ?? 'due',
})

/** Whether the patch says something else about the recurrence than the series does. */
function changesSeries(task: Task, series: Series, patch: TaskPatch): boolean {
  const rule = patch.recurrence_rule
  const differs = (named: readonly Date[] | undefined, current: readonly Date[]) =>
    named !== undefined && named.map(Number).join() !== current.map(Number).join()
  return (
    rule === null ||
    (rule !== undefined && formatRule(readRule(rule).rule) !== series.rule) ||
    differs(patch.exdates, series.exdates) ||
    differs(patch.rdates, series.rdates) ||
    (patch.month_end ?? series.monthEnd) !== series.monthEnd ||
    (patch.repeat_from ?? series.repeatFrom) !== series.repeatFrom ||
    (patch.time_zone ?? task.timeZone) !== task.timeZone
  )
}

const sameDue = (a: Task, b: Task): boolean =>
  a.dueAt?.getTime() === b.dueAt?.getTime() && a.dueDate === b.dueDate

/** The task due when its rule says, even if this occurrence had been moved by itself. */
const unmoved = (task: Task, series: Series): Task =>
  series.isAllDay ? task : { ...task, dueAt: task.occurrenceAt }

/** The series' own rule, with COUNT brought down to the occurrences from this one on. */
function remainingRule(series: Series, task: Task): string {
  const pattern = patternOf(series)
  if (pattern.rule.count === undefined) return series.rule
  const earlier = new Date(task.occurrenceAt!.getTime() - 1)
  const left = occurrences(
    { ...pattern, exdates: [], rdates: [] },
    { after: earlier, limit: pattern.rule.count },
  )
  return formatRule({ ...pattern.rule, count: Math.max(1, left.length) })
}

import { invalidField } from './errors.ts'
import { asOccurrence, decideSeries, readRule, seriesDates } from './new-series.ts'
import { formatRule } from './recurrence-rule.ts'
import { nextOccurrence, occurrenceAfterCompletion, occurrences, untilInstant } from './recurrence.ts'
import { patternOf, type Series } from './series.ts'
import type { EditScope, Task, TaskPatch } from './task.ts'
import { civilDate, instantToWall, startOfDay, wallToInstant } from './wall-clock.ts'

interface Live {
  task: Task
  series: Series
}

/** The parts of a series that a patch can name, apart from its start. */
type Recurrence = Pick<Series, 'rule' | 'monthEnd' | 'repeatFrom' | 'exdates' | 'rdates'>

/**
 * What an edit of the open occurrence makes of its series, and of the occurrence with it; null when the recurrence
 * stays as it is. Another rule, zone, day or way of repeating starts the series anew at this occurrence. Everything
 * else leaves the start alone, because a series that started on the 31st must not forget it in February.
 */
export function decideSeriesEdit(
  live: Live,
  edited: Task,
  patch: TaskPatch,
  context: { scope: EditScope; now: Date },
): Live | null {
  const { task, series } = live
  const wanted = recurrenceAfter(series, patch)
  const isMoved = context.scope !== 'this' && !sameDue(task, edited)
  const startsAnew =
    edited.timeZone !== series.timeZone ||
    wanted.repeatFrom !== series.repeatFrom ||
    !countsOn(series.rule, wanted.rule)
  const retimed = isMoved && !startsAnew ? retime(live, edited, wanted, patch) : null
  if (retimed) return retimed
  if (isMoved || startsAnew) return restart(live, edited, wanted, context.now)
  return differs(wanted, series) ? settle(edited, { ...series, ...wanted }, task.occurrenceAt!) : null
}

export function recurrenceAfter(series: Series, patch: TaskPatch): Recurrence {
  const named = patch.recurrence_rule ? readRule(patch.recurrence_rule) : null
  const rule = named ? formatRule(named.rule) : series.rule
  const usual = named?.clampDefault ? 'clamp' : sameDays(series.rule, rule) ? series.monthEnd : 'skip'
  return {
    rule,
    monthEnd: patch.month_end ?? usual,
    repeatFrom: patch.repeat_from ?? series.repeatFrom,
    exdates: seriesDates(patch.exdates ?? series.exdates, series),
    rdates: seriesDates(patch.rdates ?? series.rdates, series),
  }
}

export const differs = (a: Recurrence, b: Recurrence): boolean => fingerprint(a) !== fingerprint(b)

const fingerprint = ({ rule, monthEnd, repeatFrom, exdates, rdates }: Recurrence): string =>
  JSON.stringify([rule, monthEnd, repeatFrom, exdates, rdates])

const sameDue = (a: Task, b: Task): boolean =>
  a.dueAt?.getTime() === b.dueAt?.getTime() && a.dueDate === b.dueDate

/** Whether two rules name the same days, wherever they end. */
function sameDays(a: string, b: string): boolean {
  const days = (text: string) => {
    const { count: _count, until: _until, ...rule } = readRule(text).rule
    return formatRule(rule)
  }
  return a === b || days(a) === days(b)
}

/** Whether the new rule can go on from the old start: a new COUNT counts from here on. */
function countsOn(before: string, after: string): boolean {
  const { count } = readRule(after).rule
  return sameDays(before, after) && (count === undefined || count === readRule(before).rule.count)
}

/**
 * The series from this occurrence on: where it is moved to, or else where the rule has put it. An added date is no
 * measure for what follows: there the rule goes on from its own next hit.
 */
function restart({ task, series }: Live, edited: Task, wanted: Recurrence, now: Date): Live {
  const isPut = sameDue(task, edited)
  const at = task.occurrenceAt!
  const hit = isPut ? ruleHit(series, at) : at
  const start = isPut ? dueAs(edited, series, hit) : edited
  const rule = wanted.rule === series.rule ? remainingRule(series, task) : wanted.rule
  // Another zone begins its days at other instants.
  const sameDay = (date: Date) =>
    series.isAllDay ? startOfDay(civilDate(date, series.timeZone), start.timeZone) : date
  const request = {
    ...{ recurrence_rule: rule, month_end: wanted.monthEnd, repeat_from: wanted.repeatFrom },
    ...{ exdates: wanted.exdates.map(sameDay), rdates: wanted.rdates.map(sameDay) },
  }
  const made = decideSeries(start, request, { seriesId: series.id, now })
  const restarted = { ...made.series, createdAt: series.createdAt }
  if (hit > at) return settle(dueAs(edited, series, at), restarted, sameDay(at))
  return { task: made.task, series: restarted }
}

/** The task due when its series says, even if this occurrence had been moved by itself. */
const dueAs = (task: Task, series: Series, at: Date): Task =>
  series.isAllDay
    ? { ...task, dueAt: null, dueDate: civilDate(at, series.timeZone) }
    : { ...task, dueAt: at, dueDate: civilDate(at, task.timeZone) }

/** The hit of the rule at this occurrence, or the one that follows when it is an added date. */
function ruleHit(series: Series, at: Date): Date {
  if (series.repeatFrom === 'completion') return at
  const rule = { ...patternOf(series), exdates: [], rdates: [] }
  return nextOccurrence(rule, new Date(at.getTime() - 1)) ?? at
}

/** The series' own rule, with COUNT brought down to the occurrences from this one on. */
function remainingRule(series: Series, task: Task): string {
  const pattern = patternOf(series)
  const { count } = pattern.rule
  if (count === undefined) return series.rule
  const earlier = new Date(task.occurrenceAt!.getTime() - 1)
  const left =
    series.repeatFrom === 'completion'
      ? count - series.generated + 1
      : occurrences({ ...pattern, exdates: [], rdates: [] }, { after: earlier, limit: count }).length
  return formatRule({ ...pattern.rule, count: Math.max(1, left) })
}

/** Another time on the same day: the start, the excluded days and COUNT stay. Null when it is more than that. */
function retime({ task, series }: Live, edited: Task, wanted: Recurrence, patch: TaskPatch): Live | null {
  const { timeZone } = series
  const day = (instant: Date) => civilDate(instant, timeZone)
  const time = (instant: Date) => instantToWall(instant, timeZone).slice('YYYY-MM-DD'.length)
  const { dueAt } = edited
  if (series.isAllDay || !dueAt || day(dueAt) !== day(task.occurrenceAt!)) return null
  const move = (instant: Date) => wallToInstant(day(instant) + time(dueAt), timeZone)
  const startAt = move(series.startAt)
  // On the day of the start the clocks may have skipped the new time.
  if (time(startAt) !== time(dueAt)) return null
  const moved = {
    ...{ ...series, ...wanted, startAt },
    exdates: patch.exdates ? wanted.exdates : series.exdates.map(move),
    rdates: patch.rdates ? wanted.rdates : series.rdates.map(move),
  }
  return settle(edited, moved, dueAt)
}

/** The open occurrence stays at its instant, unless that has just been excluded: then it moves to the next. */
function settle(edited: Task, series: Series, at: Date): Live {
  const pattern = patternOf(series)
  const until = untilInstant(pattern.rule, series.timeZone)
  if (until && until < at) throw invalidField('recurrence_rule', 'UNTIL lies before this occurrence')
  if (!series.exdates.some((date) => date.getTime() === at.getTime())) {
    const { rule: recurrenceRule, repeatFrom } = series
    return { series, task: { ...edited, occurrenceAt: at, recurrenceRule, repeatFrom } }
  }
  const next =
    series.repeatFrom === 'completion' ? occurrenceAfterCompletion(pattern, at) : nextOccurrence(pattern, at)
  if (!next) throw invalidField('exdates', 'leave no occurrence of the series')
  return { series, task: asOccurrence(edited, series, next) }
}

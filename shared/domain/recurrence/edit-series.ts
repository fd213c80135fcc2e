import { invalidField } from '../errors.ts'
import { movedRule, movedTimes } from './moved-rule.ts'
import { asOccurrence, decideSeries, readRule, seriesDates } from './new-series.ts'
import { formatRule, type RecurrenceRule } from './recurrence-rule.ts'
import { nextOccurrence, occurrenceAfterCompletion, occurrences, untilInstant } from './recurrence.ts'
import { isSeveralADay, withTimesOf } from './recurrence-times.ts'
import { patternOf, termsOf, type Series } from './series.ts'
import { nominalAt, nominalOf, withNominal, type Nominal } from './shifted-day.ts'
import { dateSlot, type Slot, slotDate, slotDay, type SlotKind, slotText } from './slots.ts'
import type { EditScope, Task, TaskPatch } from '../tasks/task.ts'
import { civilDate, instantToWall, wallToInstant } from './wall-clock.ts'

interface Live {
  task: Task
  series: Series
}

type Recurrence = Pick<Series, 'rule' | 'monthEnd' | 'repeatFrom' | 'exdates' | 'rdates'>

/**
 * What an edit of the open occurrence makes of its series, and of the occurrence with it; null when the recurrence
 * stays as it is. Another rule, zone, day or way of repeating starts the series anew at this occurrence. Everything
 * else leaves the start alone, because a series that started on the 31st must not forget it in February.
 */
export function decideSeriesEdit(
  live: Live,
  edited: Task,
  asked: TaskPatch,
  context: { scope: EditScope; now: Date },
): Live | null {
  const { task, series } = live
  const patch = withoutRepeated(asked, series)
  const isElsewhere = !sameDue(task, edited)
  const isMoved = context.scope !== 'this' && isElsewhere
  const startsAnew =
    edited.timeZone !== series.timeZone ||
    (patch.repeat_from ?? series.repeatFrom) !== series.repeatFrom ||
    !countsOn(series.rule, patch.recurrence_rule ?? series.rule)
  const isAllDay = (isMoved || startsAnew) && isElsewhere ? edited.dueAt === null : series.isAllDay
  const wanted = recurrenceAfter(series, patch, { isAllDay, timeZone: edited.timeZone }, edited.dueAt)
  const retimed = isMoved && !startsAnew ? retime(live, edited, wanted, patch) : null
  if (retimed) return retimed
  if (isMoved || startsAnew) return restart(live, edited, { wanted, patch, now: context.now })
  return differs(wanted, series)
    ? placeOccurrence(edited, { ...series, ...wanted }, task.occurrenceAt!)
    : null
}

/** Dates that are sent back as they were read are not named: they move along with the series. */
function withoutRepeated({ exdates, rdates, ...patch }: TaskPatch, series: Series): TaskPatch {
  const repeats = (asked: readonly (Date | string)[], slots: readonly Slot[]) => {
    const texts = asked.map((date) => (typeof date === 'string' ? date : date.toISOString()))
    return [...new Set(texts)].toSorted().join() === slots.map((slot) => slotText(slot, series)).join()
  }
  return {
    ...patch,
    ...(exdates && !repeats(exdates, series.exdates) && { exdates }),
    ...(rdates && !repeats(rdates, series.rdates) && { rdates }),
  }
}

/** The rule as it is written: what UNTIL and times of day mean depends on the series. */
const ruleOf = (text: string): RecurrenceRule => readRule(text, { isAllDay: false, timeZone: 'UTC' }).rule

/** What a patch asks of a series, which becomes one of `kind`; `at` is when the occurrence is due from then on. */
export function recurrenceAfter(
  series: Series,
  patch: TaskPatch,
  kind: SlotKind = series,
  at: Date | null = null,
): Recurrence {
  const named = patch.recurrence_rule ? readRule(patch.recurrence_rule, kind) : null
  const rule = named ? formatRule(named.rule) : ruleAs(series, kind)
  const usual = sameMonthDays(series.rule, rule) ? series.monthEnd : 'skip'
  const dates = (field: 'exdates' | 'rdates') =>
    patch[field]
      ? seriesDates(patch[field], field, kind)
      : series[field].map((slot) => slotAs(slot, series, kind, at))
  return {
    rule,
    monthEnd: patch.month_end ?? named?.monthEnd ?? usual,
    repeatFrom: patch.repeat_from ?? series.repeatFrom,
    exdates: dates('exdates'),
    rdates: dates('rdates'),
  }
}

function ruleAs(series: Series, kind: SlotKind): string {
  if (series.isAllDay || !kind.isAllDay) return series.rule
  const rule = ruleOf(series.rule)
  const { byHour: _hour, byMinute: _minute, ...days } = rule
  return formatRule(readRule(formatRule(isSeveralADay(rule) ? rule : days), kind).rule)
}

/** An EXDATE or RDATE in a series that gets dates instead of times, or times instead of dates. */
function slotAs(slot: Slot, from: Series, to: SlotKind, at: Date | null): Slot {
  if (from.isAllDay === to.isAllDay) return slot
  if (to.isAllDay) return dateSlot(civilDate(slot, from.timeZone))
  return wallToInstant(`${slotDate(slot)}T${timeOf(at!, to.timeZone)}`, to.timeZone)
}

export const differs = (a: Recurrence, b: Recurrence): boolean => fingerprint(a) !== fingerprint(b)

const fingerprint = ({ rule, monthEnd, repeatFrom, exdates, rdates }: Recurrence): string =>
  JSON.stringify([rule, monthEnd, repeatFrom, exdates, rdates])

const sameDue = (a: Task, b: Task): boolean =>
  a.dueAt?.getTime() === b.dueAt?.getTime() && a.dueDate === b.dueDate

function sameDays(a: string, b: string): boolean {
  const days = (text: string) => {
    const { count: _count, until: _until, ...rule } = ruleOf(text)
    return formatRule(rule)
  }
  return a === b || days(a) === days(b)
}

function sameMonthDays(a: string, b: string): boolean {
  const once = (text: string) => formatRule({ ...ruleOf(text), interval: 1 })
  return sameDays(once(a), once(b))
}

/** Whether the new rule can go on from the old start: a new COUNT counts from here on. */
function countsOn(before: string, after: string): boolean {
  const { count } = ruleOf(after)
  return sameDays(before, after) && (count === undefined || count === ruleOf(before).count)
}

/**
 * The series from this occurrence on: where it is moved to, or else where the rule has put it. An added date is no
 * measure for what follows: there the rule goes on from its own next hit.
 */
function restart(
  { task, series }: Live,
  edited: Task,
  { wanted, patch, now }: { wanted: Recurrence; patch: TaskPatch; now: Date },
): Live {
  const isPut = sameDue(task, edited)
  const at = task.occurrenceAt!
  const hit = isPut ? ruleHit(series, at) : at
  const start = isPut ? dueAs(edited, series, hit) : edited
  const counted = wanted.rule === series.rule ? remainingRule(series, task) : ruleOf(wanted.rule)
  const nominal = isPut ? nominalHere(series, hit, start) : nominalOf(patch.due_at, start)
  const isForced = !isPut && sameDays(series.rule, wanted.rule)
  const reaching = isForced ? ruleFrom(start, counted, wanted) : counted
  const rule = withNominal(reaching, nominal, start.dueDate ?? slotDay(at, series))
  // Only a series that clamps keeps a day that this month lacks.
  const clamps = nominal.monthDay !== null && !patch.month_end && !sameDays(series.rule, wanted.rule)
  const isAllDay = start.dueAt === null
  const dates = (slots: readonly Slot[]) => (isAllDay ? slots.map(slotDate) : slots)
  const request = {
    recurrence_rule: formatRule(rule),
    month_end: clamps ? ('clamp' as const) : wanted.monthEnd,
    repeat_from: wanted.repeatFrom,
    exdates: dates(wanted.exdates),
    rdates: dates(wanted.rdates),
  }
  const made = decideSeries(start, request, { seriesId: series.id, now })
  const restarted = { ...made.series, createdAt: series.createdAt }
  if (isForced && made.occurrence.occurrenceAt.getTime() !== restarted.startAt.getTime()) {
    throw invalidField('exdates', 'exclude the day that the series is moved to')
  }
  if (hit > at) return placeOccurrence(dueAs(edited, series, at), restarted, at)
  return { task: made.task, series: restarted }
}

/** What the series means where the rule has put it. Another zone has times of its own, and a completion a day of its own. */
function nominalHere(series: Series, hit: Slot, start: Task): Nominal {
  const { time, monthDay } = nominalAt(patternOf(series), hit)
  const isSameDay = start.dueDate === slotDay(hit, series)
  return {
    time: start.timeZone === series.timeZone ? time : null,
    monthDay: isSameDay && series.repeatFrom === 'due' ? monthDay : null,
  }
}

/** The rule that goes on from where the series is moved to; refused where it would be another day or time than asked for. */
function ruleFrom(start: Task, rule: RecurrenceRule, { monthEnd }: Recurrence): RecurrenceRule {
  const isAllDay = start.dueAt === null
  if (isAllDay && start.dueDate === null) return rule
  const moved = movedRule({
    rule,
    start: start.dueAt ?? dateSlot(start.dueDate!),
    timeZone: isAllDay ? 'UTC' : start.timeZone,
    monthEnd,
    exdates: [],
    rdates: [],
  })
  if (moved) return moved
  const where = isAllDay ? start.dueDate : instantToWall(start.dueAt!, start.timeZone).slice(0, 16)
  throw invalidField(
    'recurrence_rule',
    `is required with this move: ${formatRule(rule)} has no occurrence at ${where}`,
  )
}

/** The task due when its series says, even if this occurrence had been moved by itself. */
const dueAs = (task: Task, series: Series, at: Slot): Task =>
  series.isAllDay
    ? { ...task, dueAt: null, dueDate: slotDate(at) }
    : { ...task, dueAt: at, dueDate: civilDate(at, task.timeZone) }

/** The hit of the rule at this occurrence, or the one that follows when it is an added date. */
function ruleHit(series: Series, at: Slot): Slot {
  if (series.repeatFrom === 'completion') return at
  const rule = { ...patternOf(series), exdates: [], rdates: [] }
  return nextOccurrence(rule, new Date(at.getTime() - 1)) ?? at
}

/** The series' own rule, with COUNT brought down to the occurrences from this one on. */
function remainingRule(series: Series, task: Task): RecurrenceRule {
  const pattern = patternOf(series)
  const { count } = pattern.rule
  if (count === undefined) return pattern.rule
  const earlier = new Date(task.occurrenceAt!.getTime() - 1)
  const left =
    series.repeatFrom === 'completion'
      ? count - series.generated + 1
      : occurrences({ ...pattern, exdates: [], rdates: [] }, { after: earlier, limit: count }).length
  return { ...pattern.rule, count: Math.max(1, left) }
}

const timeOf = (instant: Date, timeZone: string): string =>
  instantToWall(instant, timeZone).slice('YYYY-MM-DDT'.length)

/**
 * Another time on the same day: the start, the excluded days and COUNT stay. Null when it is more than that, or the series
 * has several times a day.
 */
function retime({ task, series }: Live, edited: Task, wanted: Recurrence, patch: TaskPatch): Live | null {
  const { timeZone } = series
  const { dueAt } = edited
  const rule = ruleOf(wanted.rule)
  if (series.isAllDay || !dueAt || isSeveralADay(rule)) return null
  const day = (instant: Date) => civilDate(instant, timeZone)
  if (day(dueAt) !== day(task.occurrenceAt!)) return null
  // A time on the wall that this day leaves out is still that of the series.
  const wall = typeof patch.due_at === 'string' ? patch.due_at : instantToWall(dueAt, timeZone)
  const time = wall.slice('YYYY-MM-DDT'.length)
  const move = (instant: Date) => wallToInstant(`${day(instant)}T${time}`, timeZone)
  const startAt = move(series.startAt)
  // On the day of the start the clocks may have skipped the new time; then the rule says it.
  const isSkipped = timeOf(startAt, timeZone) !== time
  const timed = isSkipped ? withTimesOf(rule, time) : rule
  const moved = {
    ...series,
    ...wanted,
    rule: formatRule({ ...timed, ...movedTimes(timed, wall) }),
    startAt,
    exdates: patch.exdates ? wanted.exdates : series.exdates.map(move),
    rdates: patch.rdates ? wanted.rdates : series.rdates.map(move),
  }
  return placeOccurrence(edited, moved, dueAt)
}

/** The open occurrence stays where it is, unless that has just been excluded: then it moves to the next. */
function placeOccurrence(edited: Task, series: Series, at: Slot): Live {
  const pattern = patternOf(series)
  const until = untilInstant(pattern.rule, pattern.timeZone)
  if (until && until < at) throw invalidField('recurrence_rule', 'UNTIL is before this occurrence')
  if (!series.exdates.some((date) => date.getTime() === at.getTime())) {
    const { rule: recurrenceRule, repeatFrom } = series
    const terms = { recurrenceRule, repeatFrom, seriesTerms: termsOf(series) }
    return { series, task: { ...edited, ...terms, occurrenceAt: at } }
  }
  const next =
    series.repeatFrom === 'completion' ? occurrenceAfterCompletion(pattern, at) : nextOccurrence(pattern, at)
  if (!next) throw invalidField('exdates', 'exclude every occurrence of the series')
  return { series, task: asOccurrence(edited, series, next) }
}

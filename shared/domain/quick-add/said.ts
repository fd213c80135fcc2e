import { blank, blankAll, endsOrGoesOn, findPhrases, type Range } from './draft.ts'
import type { Calendar, Language, RuleEnd, RuleMeaning } from './language.ts'
import { findMoments, partOfDayAfter, withEarlierTimes, type SaidMoment } from './moments.ts'
import { withoutTorn, type Part } from './ties.ts'

type SaidRule = Range & { meaning: RuleMeaning }

/** A moment with what leads into it, which belongs to it. */
export interface LedMoment extends SaidMoment {
  role: 'free' | 'until' | 'starting' | 'reminder'
  isOfDayBefore: boolean
}

/** What a text says in full of when a task is due, and what of that it says last. */
export interface Said {
  rule?: SaidRule
  end?: Range & { meaning: RuleEnd }
  until?: LedMoment
  starting?: LedMoment
  free: readonly LedMoment[]
  reminders: readonly LedMoment[]
}

type Words = Part &
  ({ kind: 'rule'; rule: SaidRule } | { kind: 'moment'; moment: LedMoment } | { kind: 'unread' })

/** `open`: the text, without what has been read of it. */
export function findSaid(open: string, language: Language, calendar: Calendar): Said {
  const rules = findRules(open, language, calendar)
  const rule = rules.at(-1)
  const outside = blankAll(open, rules)
  const momentsBeside = (end?: Range): LedMoment[] => {
    const text = end ? blank(outside, end) : outside
    const found = findMoments(text, language, calendar)
    if (!rule) return found.map((moment) => led(moment, text, language))
    return withEarlierTimes(text, found, language).map((moment) => ledOfRule(moment, text, language))
  }
  const end = rule && lastEnd(outside, rule, momentsBeside, { language, calendar })
  const moments = momentsBeside(end)
  const named = moments.filter(({ isWord }) => !isWord)
  const rest = blankAll(outside, moments)
  const unread = [...rest.matchAll(language.unread)].map((match) => unreadWords(match, rest, language))
  const { whole, torn } = withoutTorn<Words>(
    end ? blank(open, end) : open,
    [
      ...rules.map((one): Words => ({
        ...rangeOf(one),
        kind: 'rule',
        rule: one,
        says: ['rule'],
        isUnread: language.except.test(open.slice(one.end)),
      })),
      ...named.map(momentWords),
      ...unread,
    ],
    language,
  )
  const isDayUnread = torn.some(
    (part) => part.kind === 'rule' || (part.kind === 'moment' && part.moment.role !== 'reminder'),
  )
  const read = isDayUnread ? undefined : whole.findLast((part) => part.kind === 'rule')?.rule
  const said = whole.flatMap((part) => (part.kind === 'moment' ? [part.moment] : []))
  const of = (role: LedMoment['role']) => said.filter((moment) => moment.role === role)
  const free = of('free')
  // A time alone is that of another day than the next, where one is named that is not read.
  const isDayMissing = isDayUnread || unread.length > 0 || moments.length > named.length
  const isTimeAlone = !read && free.every(({ date, delayMinutes }) => date === null && delayMinutes === null)
  const [until, starting] = [of('until').at(-1), of('starting').at(-1)]
  return {
    ...(read && { rule: read, ...(read === rule && end && { end }) }),
    ...(until && { until }),
    ...(starting && { starting }),
    free: isDayMissing && isTimeAlone ? [] : free,
    reminders: of('reminder'),
  }
}

const rangeOf = ({ start, end }: Range): Range => ({ start, end })

function findRules(open: string, language: Language, calendar: Calendar): SaidRule[] {
  return findPhrases(open, language.rules, { language, calendar }).map((found) => {
    const part = partOfDayAfter(open, found, language)
    return part ? { ...found, end: part.end, meaning: { ...found.meaning, time: part.time } } : found
  })
}

function lastEnd(
  outside: string,
  rule: Range,
  momentsBeside: () => LedMoment[],
  context: { language: Language; calendar: Calendar },
): (Range & { meaning: RuleEnd }) | undefined {
  const found = findPhrases(outside, context.language.ends, context)
  return found.findLast(({ meaning, start, end }) => {
    if (!('isBehind' in meaning)) return true
    const text = blankAll(outside, momentsBeside())
    const between = text.slice(rule.end, Math.max(rule.end, start))
    return start >= rule.end && /^[\s,\uE000]*$/.test(between) && endsOrGoesOn(text, end, context.language)
  })
}

function led(moment: SaidMoment, text: string, language: Language): LedMoment {
  const before = text.slice(0, moment.start)
  const reminder = withLead(moment, before, language.reminders.at, 'reminder')
  if (reminder) return reminder
  const until = moment.date ? withLead(moment, before, language.until, 'free') : null
  const isTied = language.tied.test(before.trimEnd())
  const starting = isTied ? null : withLead(moment, before, language.starting, 'free')
  return until ?? starting ?? { ...moment, role: 'free', isOfDayBefore: false }
}

/** Of a task that repeats, so that there may be a first and a last day. */
function ledOfRule(moment: SaidMoment, text: string, language: Language): LedMoment {
  const before = text.slice(0, moment.start)
  const reminder = withLead(moment, before, language.reminders.at, 'reminder')
  if (reminder) return { ...reminder, isUnread: reminder.isUnread || reminder.earlier.length > 0 }
  const until = withLead(moment, before, language.until, 'until')
  const isDay = moment.date !== null && (moment.time === null || moment.precision !== 'usual')
  if (until) return { ...until, isUnread: until.isUnread || !isDay }
  const starting = withLead(moment, before, language.starting, 'starting')
  const isRange = starting !== null && moment.lastDate !== null
  return {
    ...(starting ?? { ...moment, role: 'free', isOfDayBefore: false }),
    isUnread: moment.delayMinutes !== null || (moment.isUnread && !isRange),
  }
}

function withLead(
  moment: SaidMoment,
  before: string,
  lead: RegExp,
  role: LedMoment['role'],
): LedMoment | null {
  const { word, dayBefore } = lead.exec(before)?.groups ?? {}
  if (word === undefined) return null
  const start = moment.start - word.length
  return { ...moment, start, role, isWord: false, isOfDayBefore: dayBefore !== undefined }
}

const momentWords = (moment: LedMoment): Words => {
  const { role, date, time, precision, delayMinutes, isUnread } = moment
  const isOfTask = role === 'free' || role === 'starting'
  return {
    ...rangeOf(moment),
    kind: 'moment',
    moment,
    isUnread,
    says: [
      ...(isOfTask && (date !== null || delayMinutes !== null) ? ['day' as const] : []),
      ...(isOfTask && time !== null && precision !== 'usual' ? ['time' as const] : []),
    ],
    isFirst: role === 'reminder',
  }
}

function unreadWords(match: RegExpExecArray, rest: string, { leadIn }: Language): Words {
  const range = { start: match.index, end: match.index + match[0].length }
  const lead = leadIn.exec(rest.slice(0, range.start))
  return { start: lead ? lead.index : range.start, end: range.end, kind: 'unread', says: [], isUnread: true }
}

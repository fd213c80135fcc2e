import type { Chrono } from 'chrono-node/en'
import type { RepeatFrom, Priority } from '../tasks/task.ts'
import type { RecurrenceRule, Weekday } from '../recurrence/recurrence-rule.ts'

export const SPAN_KINDS = ['due', 'recurrence', 'priority', 'tag', 'reminder'] as const
export type SpanKind = (typeof SPAN_KINDS)[number]

/** The day that it is, and where weeks begin. Dates are `YYYY-MM-DD`. */
export interface Calendar {
  today: string
  firstDayOfWeek: Weekday
}

/** `HH:MM`. */
export type ClockTime = string

/** How much a time says: all, an hour without am or pm, or only a part of the day, which has a usual time. */
export type Precision = 'exact' | 'bare' | 'usual'

export interface SaidTime {
  time: ClockTime
  precision: Precision
}

export interface Phrase<Meaning> {
  /** With the flags `giu`; matched against whole words. */
  pattern: RegExp
  /** Null: it means something else after all. */
  read(groups: Readonly<Partial<Record<string, string>>>, calendar: Calendar): Meaning | null
  /** Also a plain word of titles: it counts only after a lead-in, or where the sentence ends or goes on with another phrase. */
  isPlainWord?: boolean
}

export interface DayMeaning {
  date: string
  /** Of a weekday that is today's name as well: meant is today if the time that goes with it is still to come. */
  orToday?: boolean
  /** A part of the day that the word says as well. */
  time?: ClockTime
  /** Also a part of names and sentences (Sunday school, if Friday works). */
  isWord?: boolean
}

export interface RuleMeaning {
  rule: RecurrenceRule
  repeatFrom?: RepeatFrom
  time?: ClockTime
}

export type Unit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

export interface Length {
  count: number
  unit: Unit
}

export type RuleEnd =
  /** `isBehind`: it counts only right behind the rule. */
  { count: number; isBehind?: true } | { length: Length }

/** One language: words and the patterns they stand in. What they add up to is worked out in quick-add.ts. */
export interface Language {
  /** Reads written dates and times of day; of its results, only the components it is certain of count. */
  dates: Chrono
  /** Words of `dates` that count from something else than today, which nothing here does. */
  relations: RegExp
  /** What looks like a phrase and is a name. */
  names: RegExp
  days: readonly Phrase<DayMeaning>[]
  times: readonly Phrase<SaidTime>[]
  /** Days and repetitions that are said in ways that nothing here works out: what stands beside them is not read either. */
  unread: RegExp
  /** How long from now, in minutes. */
  delays: readonly Phrase<number>[]
  /** Right after a day, or with `of` a time: the part of the day that it is in, with the time that it stands for alone. */
  partOfDay: { pattern: RegExp; times: Readonly<Record<string, ClockTime>> }
  /** Hours without minutes up to this one are after noon: "at 5" is 17:00. */
  lastAfternoonHour: number
  /** What stands between the parts of one moment: "friday, at 9". */
  joint: RegExp
  /** Between times of a rule: "at 9am and 5pm". */
  and: RegExp
  /** What leads into a moment and goes with it: "due on". */
  leadIn: RegExp
  /** A lead-in that goes with places as well, and so does not make a day of a word. */
  ofPlaces: RegExp
  /** What may follow a phrase that is a plain word otherwise. */
  goesOn: RegExp
  /** What may follow a day or an hour beside that: words that begin another part of the sentence. */
  goesOnAfterDay: RegExp
  /** Anywhere after a rule: what begins an exception to it, which is not read. */
  except: RegExp
  /** Before a phrase: words that tie it to something else, and that would be left at the end of a title. */
  tied: RegExp
  /** After a phrase: more days, hours or exceptions that are not read; `number` where that is a mere number. */
  more: RegExp
  rules: readonly Phrase<RuleMeaning>[]
  /** Of a rule: how often, or for how long. */
  ends: readonly Phrase<RuleEnd>[]
  /** Of a rule: before its last day, and before its first. */
  until: RegExp
  starting: RegExp
  reminders: {
    /** How long before the task is due. */
    before: readonly Phrase<Length[]>[]
    /** The same without the word, which the beginning of the text has said. */
    beforeAlone: readonly Phrase<Length[]>[]
    /** At the due time itself. */
    onTime: readonly Phrase<true>[]
    /** Before a moment; `dayBefore` where it is about the day before the task is due. */
    at: RegExp
    /** At the very beginning, before what is to be done: a reminder at the due time. */
    to: RegExp
    /** Between a reminder at the very beginning and what is to be done. */
    goesOn: RegExp
  }
  priorities: readonly Phrase<Priority>[]
}

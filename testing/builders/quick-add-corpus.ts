import { readFileSync } from 'node:fs'
import type { Weekday } from '../../shared/domain/recurrence/recurrence-rule.ts'
import { wallToInstant } from '../../shared/domain/recurrence/wall-clock.ts'
import type { LanguageTag } from '../../shared/domain/quick-add/languages.ts'
import type {
  QuickAdd,
  QuickAddContext,
  SaidDue,
  SaidReminder,
} from '../../shared/domain/quick-add/quick-add.ts'

export interface CorpusCase {
  text: string
  /** As {@link describeQuickAdd} has it. */
  expected: string
  context: QuickAddContext
  line: number
}

/** corpus.txt: `@` says when, where and how it is said, `=` is a heading, what is indented is what the line before it says. */
export function readCorpus(): CorpusCase[] {
  const cases: CorpusCase[] = []
  let context: QuickAddContext | null = null
  const lines = readFileSync(
    new URL('../../shared/domain/quick-add/corpus.txt', import.meta.url),
    'utf8',
  ).split('\n')
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('@ ')) {
      const [, wall, timeZone, firstDayOfWeek, language] = line.split(' ') as [
        string,
        string,
        string,
        Weekday,
        LanguageTag,
      ]
      context = { now: wallToInstant(wall, timeZone), timeZone, firstDayOfWeek, language }
    } else if (context && line !== '' && !/^[=#]? /.test(line) && !line.startsWith('  ')) {
      cases.push({ text: line, expected: (lines[index + 1] ?? '').trim(), context, line: index + 1 })
    }
  }
  return cases
}

/** All that was read, in one line. */
export function describeQuickAdd(read: QuickAdd): string {
  const { title, due, recurrence, priority, tags, reminders } = read
  const parts = [
    title,
    due && `due ${momentText(due)}`,
    recurrence &&
      [
        'repeats',
        recurrence.rule,
        recurrence.monthEnd,
        recurrence.repeatFrom === 'completion' && 'from completion',
      ]
        .filter(Boolean)
        .join(' '),
    priority,
    ...tags.map((tag) => `#${tag}`),
    ...reminders.map((reminder) => `remind ${reminderText(reminder)}`),
  ]
  return parts.filter((part) => part !== null).join(' | ')
}

const reminderText = (reminder: SaidReminder): string =>
  'minutesBefore' in reminder ? `${reminder.minutesBefore} before` : momentText(reminder)

function momentText(due: SaidDue): string {
  if ('date' in due) return due.date
  return typeof due.at === 'string' ? due.at.slice(0, 16) : due.at.toISOString().replace(':00.000Z', 'Z')
}

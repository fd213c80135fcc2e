import { addDays, civilDate } from '../recurrence/wall-clock.ts'
import type { QuickAddContext } from '../quick-add/quick-add.ts'
import type { Arguments } from './intended-call.ts'
import { MY, rule, SHOW, THING, WHAT, type Rule } from './sentence-rule.ts'

const WHEN = '(?<when>today|tomorrow|this\\s+week|next\\s+week|overdue|late)'

/** Lists of open tasks: "show my high priority tasks due this week", "what is due tomorrow", "overdue tasks". */
export function listing(form: 'show' | 'ask' | 'bare'): Rule {
  const kind = `(?:(?<kind>open|active|pending|overdue|late|completed|finished|deleted|recurring|high[\\s-]priority|medium[\\s-]priority|low[\\s-]priority|important|urgent|today(?:'|’)?s|tomorrow(?:'|’)?s)\\s+)?`
  const tail = `(?:\\s+(?:that\\s+are\\s+|which\\s+are\\s+)?(?:(?:are\\s+)?due\\s+|for\\s+|from\\s+|are\\s+)?${WHEN})?(?:\\s+(?:(?:tagged|with|in|under)\\s+)?(?:the\\s+tag\\s+)?#(?<tag>[\\p{L}\\p{N}_/-]+))?`
  const patterns = {
    show: `(?:${SHOW}\\s+|${WHAT}\\s+)${MY}${kind}(?:${THING}(?:\\s+list)?|list)(?:\\s+(?:do\\s+i\\s+have|have\\s+i\\s+got|are\\s+there))?${tail}`,
    ask: `(?:what(?:\\s+do\\s+i\\s+(?:have|need)(?:\\s+to\\s+do)?|\\s+have\\s+i\\s+got|\\s+is|(?:'|’)?s)|am\\s+i)(?:\\s+(?:on\\s+my\\s+(?:list|plate|agenda)|planned|due|left|scheduled|behind\\s+on))?(?:\\s+for)?(?:\\s+${WHEN})?`,
    bare: `${MY}${kind}(?:${THING}(?:\\s+list)?|list|agenda)${tail}`,
  }
  return rule(patterns[form], ({ kind: word, when, tag }, here) => ({
    tool: 'list_tasks',
    arguments: {
      status: 'active',
      ...ofKind(word),
      ...dueIn(when ?? whenOf(word), here),
      ...(tag && { tags: [tag] }),
    },
  }))
}

function ofKind(word: string | undefined): Arguments {
  const kind = word?.toLowerCase().replace(/[\s-]+/g, ' ')
  if (kind === 'completed' || kind === 'finished') return { status: 'completed' }
  if (kind === 'deleted') return { status: 'deleted' }
  if (kind === 'recurring') return { is_recurring: true }
  if (kind === 'important' || kind === 'urgent') return { priority: ['high'] }
  return kind?.endsWith(' priority') ? { priority: [kind.split(' ')[0]] } : {}
}

const whenOf = (word: string | undefined): string | undefined =>
  /^(?:overdue|late|today|tomorrow)/iu.exec(word ?? '')?.[0]

function dueIn(when: string | undefined, { now, timeZone }: QuickAddContext): Arguments {
  const today = civilDate(now, timeZone)
  const between = (from: number, to: number) => ({
    due_after: addDays(today, from),
    due_before: addDays(today, to),
  })
  switch ((when ?? '').toLowerCase().replace(/\s+/g, ' ')) {
    case 'overdue':
    case 'late':
      return { due: 'overdue' }
    case 'today':
      return { due: 'today' }
    case 'tomorrow':
      return between(1, 2)
    case 'this week':
      return between(0, 7)
    case 'next week':
      return between(7, 14)
    default:
      return {}
  }
}

export function completedIn(when: string | undefined, { now, timeZone }: QuickAddContext): Arguments {
  const today = civilDate(now, timeZone)
  switch ((when ?? '').toLowerCase().replace(/\s+/g, ' ')) {
    case 'today':
      return { completed_after: today }
    case 'yesterday':
      return { completed_after: addDays(today, -1), completed_before: today }
    case 'this week':
      return { completed_after: addDays(today, -6) }
    default:
      return {}
  }
}

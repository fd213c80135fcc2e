import { parseQuickAdd, type QuickAddContext, type SaidDue } from '../quick-add/quick-add.ts'
import type { Arguments, IntendedCall, ToolOfTask } from './intended-call.ts'
import { MY, rule, SHOW, THING, WHAT, type Rule } from './sentence-rule.ts'
import { completedIn, listing } from './task-lists.ts'
import { referenceTo, unquoted } from './task-reference.ts'

/** A sentence that asks for longer things is for a model. */
export const MAX_SENTENCE_LENGTH = 500

/**
 * What a sentence asks for, by rules, in the order of RULES: without a model, the same answer each time. Null: it is none
 * of the sentences that are known.
 */
export function intendedCall(sentence: string, here: QuickAddContext): IntendedCall | null {
  if (sentence.length > MAX_SENTENCE_LENGTH) return null
  const plain = sentence.trim().replace(POLITE_START, '').replace(POLITE_END, '').trim()
  for (const { pattern, call } of RULES) {
    const match = pattern.exec(plain)
    const found = match && call(match.groups ?? {}, here)
    if (found) return found
  }
  return null
}

const POLITE_START =
  /^(?:(?:hey|hi|hello|ok|okay|so|daybook|assistant|please|now)\b[\s,!]*)*(?:(?:can|could|would|will)\s+you\s+(?:please\s+)?|(?:i\s+(?:want|need)|i(?:'|’)?d\s+like)\s+(?:you\s+)?to\s+(?=(?:add|create|see|list|complete|delete|remove|search|find|mark|move)\b)|let(?:'|’)?s\s+)?(?:please\s+)?/iu
const POLITE_END = /(?:[\s,]+(?:please|thanks|thank\s+you|for\s+me|now))*[\s.!?]*$/iu

const RULES: readonly Rule[] = [
  rule(
    `(?:${WHAT}\\s+(?:should|shall|can|must|do)\\s+i\\s+(?:need\\s+to\\s+)?(?:do|work\\s+on|start(?:\\s+with)?|tackle)\\s*(?:next|first|now)?|${WHAT}\\s+(?:up\\s+)?next|${WHAT}\\s+(?:the\\s+)?most\\s+(?:important|urgent)(?:\\s+task|\\s+thing)?|(?:suggest|recommend)\\s+(?:something|a\\s+task|what.*)|suggestions?|where\\s+(?:do|should)\\s+i\\s+start)`,
    () => ({
      tool: 'list_suggestions',
      arguments: {},
    }),
  ),
  rule(
    `(?:(?:${SHOW}|${WHAT})\\s+${MY})?(?:upcoming\\s+|pending\\s+)?reminders?(?:\\s+(?:do|have)\\s+i\\s+(?:have|got|set))?(?:\\s+are\\s+(?:there|set))?`,
    () => ({
      tool: 'list_reminders',
      arguments: {},
    }),
  ),
  rule(`(?:(?:${SHOW}|${WHAT})\\s+${MY})tags?(?:\\s+(?:do|have)\\s+i\\s+(?:have|use|got))?`, () => ({
    tool: 'list_tags',
    arguments: {},
  })),
  rule(
    `(?:add|create|make|set\\s+up|schedule)\\s+(?:an?\\s+)?(?:new\\s+)?(?:task|to-?do|item)(?:\\s+(?:to|called|named|for|that\\s+says))?\\s*[:,]?\\s+(?<text>.+)`,
    added,
  ),
  rule('(?:new\\s+(?:task|to-?do)|task|to-?do)\\s*[:,]\\s*(?<text>.+)', added),
  rule(
    'add\\s+(?<text>.+?)\\s+to\\s+(?:my|the)\\s+(?:(?:task|to-?do)\\s+)?lists?(?<rest>\\s+.+)?',
    ({ text, rest }) => added({ text: `${text}${rest ?? ''}` }),
  ),
  rule(
    "(?:don(?:'|’)?t\\s+(?:let\\s+me\\s+)?forget|i\\s+(?:have|need|ought)\\s+to|i\\s+must|i(?:'|’)?ve\\s+got\\s+to|remember)\\s+(?:to\\s+)?(?<text>.+)",
    added,
  ),
  rule('(?:remind|reminder)\\s+(?:me\\s+)?(?:about|of|for)\\s+(?<what>.+)', reminded),
  rule(
    '(?:set|add|create|make)\\s+(?:an?\\s+)?(?:new\\s+)?reminder\\s+(?:for|about|on)\\s+(?<what>.+)',
    reminded,
  ),
  rule('(?:set|add|create|make)\\s+(?:an?\\s+)?(?:new\\s+)?reminder\\s+to\\s+(?<text>.+)', ({ text }) =>
    added({ text: `Remind me to ${text}` }),
  ),
  rule(
    'remind\\s+me\\s+(?<count>\\d{1,3}|an?)\\s*(?<unit>minutes?|mins?|hours?|days?)\\s+before\\s+(?<task>.+)',
    ({ count, unit, task }) => ({
      tool: 'set_reminder',
      task: referenceTo(task!),
      arguments: { offset_minutes: (/^a/i.test(count!) ? 1 : Number(count)) * minutesIn(unit!) },
    }),
  ),
  rule('(?<text>remind\\s+me\\s+.+)', added),
  rule('add\\s+(?:an?\\s+)?(?<text>.+)', added),
  rule(
    `(?:(?:${SHOW})\\s+)?(?:${WHAT}\\s+(?:(?:did|have)\\s+i\\s+)?|${MY})(?:completed?|finish(?:ed)?|done|accomplish(?:ed)?)(?:\\s+${THING})?(?:\\s+(?<when>today|yesterday|this\\s+week))?`,
    ({ when }, here) => ({
      tool: 'list_tasks',
      arguments: { status: 'completed', ...completedIn(when, here) },
    }),
  ),
  ...['show', 'ask', 'bare'].map((form) => listing(form as 'show' | 'ask' | 'bare')),
  rule(
    "(?:find|search(?:\\s+for)?|look\\s+(?:for|up)|where(?:\\s+is|(?:'|’)?s))\\s+(?:(?:my|the|a|any|all)\\s+)?(?:tasks?\\s+)?(?:(?:about|with|named|called|containing|for)\\s+)?(?<q>.+)",
    searched,
  ),
  rule(
    `(?:do\\s+i\\s+have|have\\s+i|is\\s+there|are\\s+there|${SHOW})\\s+(?:(?:an?|any|the|my)\\s+)?(?:anything|something|everything|tasks?|to-?dos?)\\s+(?:about|with|named|called|containing|for|on)\\s+(?<q>.+)`,
    searched,
  ),
  rule(
    '(?:reopen|re-open|uncomplete|uncheck|undo\\s+(?:completing|the\\s+completion\\s+of))\\s+(?<task>.+)',
    ({ task }) => ofTask('reopen_task', task!),
  ),
  rule(
    'mark\\s+(?<task>.+?)\\s+(?:as\\s+)?(?:not\\s+done|undone|open|incomplete)(?:\\s+again)?',
    ({ task }) => ofTask('reopen_task', task!),
  ),
  rule('(?:mark|set)\\s+(?<task>.+?)\\s+(?:as\\s+|to\\s+)?(?:done|completed?|finished)', ({ task }) =>
    ofTask('complete_task', task!),
  ),
  rule(
    "(?:complete|finish|close|tick\\s+off|check\\s+off|check|i(?:'|’)?m\\s+done\\s+with|i\\s+am\\s+done\\s+with|done\\s+with|done|i(?:'|’)?ve\\s+(?:just\\s+)?(?:finished|completed|done)|i\\s+have\\s+(?:just\\s+)?(?:finished|completed|done)|i\\s+(?:just\\s+)?(?:finished|completed|did))\\s*:?\\s+(?<task>.+)",
    ({ task }) => ofTask('complete_task', task!),
  ),
  rule('(?<task>.+?)\\s+(?:is|are)\\s+(?:done|finished|completed?)', ({ task }) =>
    ofTask('complete_task', task!),
  ),
  rule('skip\\s+(?:the\\s+next\\s+)?(?<task>.+?)(?:\\s+(?:this\\s+time|once|today))?', ({ task }) =>
    ofTask('skip_occurrence', task!),
  ),
  rule('(?:delete|remove|drop|erase|trash|get\\s+rid\\s+of|cancel)\\s+(?<task>.+)', ({ task }) =>
    ofTask('delete_task', task!),
  ),
  rule('rename\\s+(?<task>.+?)\\s+(?:to|as|into)\\s+(?<title>.+)', ({ task, title }) =>
    ofTask('update_task', task!, { title: unquoted(title!) }),
  ),
  rule(
    '(?:set|change)\\s+(?:the\\s+)?priority\\s+of\\s+(?<task>.+?)\\s+to\\s+(?<priority>high|medium|low)',
    prioritised,
  ),
  rule(
    '(?:make|mark|set)\\s+(?<task>.+?)\\s+(?:as\\s+|to\\s+|an?\\s+)?(?<priority>high|medium|low)(?:[\\s-]priority)?',
    prioritised,
  ),
  rule(
    '(?:move|reschedule|postpone|push|shift|defer|delay|set)\\s+(?<task>.+?)\\s+(?:to|until|till|by|for|on)\\s+(?<when>.+)',
    moved,
  ),
  rule('(?:make|have)\\s+(?<task>.+?)\\s+due\\s+(?:on\\s+|by\\s+)?(?<when>.+)', moved),
]

type Groups = Parameters<Rule['call']>[0]

function added({ text }: Groups): IntendedCall {
  return { tool: 'add_task', arguments: { text: unquoted(text!) } }
}

function searched({ q }: Groups): IntendedCall {
  const found = referenceTo(q!)
  return { tool: 'search_tasks', arguments: { q: 'words' in found ? found.words : q! } }
}

function prioritised({ task, priority }: Groups): IntendedCall {
  return ofTask('update_task', task!, { priority: priority!.toLowerCase() })
}

const ofTask = (tool: ToolOfTask, task: string, values: Arguments = {}): IntendedCall => ({
  tool,
  task: referenceTo(task),
  arguments: values,
})

/** "the dentist tomorrow at 9": what is left of the words names the task, what was read is the time. */
function reminded({ what }: Groups, here: QuickAddContext): IntendedCall | null {
  const { title, due, reminders } = parseQuickAdd(what!, here)
  const [relative] = reminders
  if (title === '' || due === null) return null
  const task = referenceTo(title)
  if (relative && 'minutesBefore' in relative) {
    return { tool: 'set_reminder', task, arguments: { offset_minutes: relative.minutesBefore } }
  }
  return {
    tool: 'set_reminder',
    task,
    arguments: { remind_at: 'date' in due ? `${due.date}T09:00:00` : momentText(due) },
  }
}

function moved({ task, when }: Groups, here: QuickAddContext): IntendedCall | null {
  // A word of no meaning, so that there is a title beside the time.
  const { title, due } = parseQuickAdd(`x ${when!}`, here)
  if (due === null || title !== 'x') return null
  return ofTask('update_task', task!, 'date' in due ? { due_date: due.date } : { due_at: momentText(due) })
}

const momentText = ({ at }: Extract<SaidDue, { at: unknown }>): string =>
  typeof at === 'string' ? at.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length) : at.toISOString()

const minutesIn = (unit: string): number => (/^d/i.test(unit) ? 24 * 60 : /^h/i.test(unit) ? 60 : 1)

import type { QuickAddContext } from '../quick-add/quick-add.ts'
import type { IntendedCall } from './intended-call.ts'

export interface Rule {
  pattern: RegExp
  /** Null: it is not what it looked like. */
  call(groups: Readonly<Partial<Record<string, string>>>, here: QuickAddContext): IntendedCall | null
}

export const MY = '(?:(?:all|all\\s+of)\\s+)?(?:my|the|our)?\\s*'
export const THING = '(?:tasks?|to-?dos?|things?(?:\\s+to\\s+do)?|items?)'
export const SHOW = '(?:show|list|display|see|view|get|give|tell|print)(?:\\s+me)?'
export const WHAT = "(?:what(?:\\s+is|\\s+are|(?:'|’)?s)?|which)"

export const rule = (pattern: string, call: Rule['call']): Rule => ({
  pattern: new RegExp(`^${pattern}$`, 'iu'),
  call,
})

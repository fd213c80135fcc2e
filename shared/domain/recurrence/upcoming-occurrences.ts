import { occurrenceAfterCompletion, occurrences } from './recurrence.ts'
import { RecurrenceError } from './recurrence-rule.ts'
import { patternOf, type Series } from './series.ts'
import { passedAt, slotAt, type Slot } from './slots.ts'

/**
 * The occurrences that are still to come, at most `limit`: those of the rule that are not over at `now`, after `latest`,
 * the occurrence that is already a task. A series that repeats from completion depends on when that will be, so it has at most one: what
 * would follow if it were completed now. None for a series that has ended or whose rule is refused by now.
 */
export function upcomingOccurrences(
  series: Series,
  { now, latest, limit }: { now: Date; latest: Slot | null; limit: number },
): Slot[] {
  if (series.state !== 'active') return []
  try {
    const pattern = patternOf(series)
    if (series.repeatFrom === 'due') {
      const passed = passedAt(now, series)
      return occurrences(pattern, { after: latest && latest > passed ? latest : passed, limit })
    }
    const isSpent = series.generated >= (pattern.rule.count ?? Infinity)
    const next = isSpent ? null : occurrenceAfterCompletion(pattern, slotAt(now, series))
    return next ? [next] : []
  } catch (error) {
    if (error instanceof RecurrenceError) return []
    throw error
  }
}

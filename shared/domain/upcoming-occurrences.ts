import { occurrenceAfterCompletion, occurrences } from './recurrence.ts'
import { RecurrenceError } from './recurrence-rule.ts'
import { patternOf, type Series } from './series.ts'

/**
 * The instants that are still to come, at most `limit`: those of the rule after both `now` and `latest`, the occurrence
 * that is already a task. A series that repeats from completion depends on when that will be, so it has at most one: the
 * instant that would follow if it were completed now. None for a series that has ended or whose rule is refused by now.
 */
export function upcomingOccurrences(
  series: Series,
  { now, latest, limit }: { now: Date; latest: Date | null; limit: number },
): Date[] {
  if (series.state !== 'active') return []
  try {
    const pattern = patternOf(series)
    if (series.repeatFrom === 'due') {
      return occurrences(pattern, { after: latest && latest > now ? latest : now, limit })
    }
    const isSpent = series.generated >= (pattern.rule.count ?? Infinity)
    const next = isSpent ? null : occurrenceAfterCompletion(pattern, now)
    return next ? [next] : []
  } catch (error) {
    if (error instanceof RecurrenceError) return []
    throw error
  }
}

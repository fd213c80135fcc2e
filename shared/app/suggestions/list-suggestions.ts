import { suggest } from '../../domain/suggestions/suggest.ts'
import type { Suggestions } from '../../domain/suggestions/suggestion.ts'
import type { Deps } from '../ports.ts'

/** What rules look at; more says hardly more. */
const LIMITS = { open: 200, done: 500, feedback: 200 }

export async function listSuggestions(
  { suggestions, clock }: Pick<Deps, 'suggestions' | 'clock'>,
  userId: string,
  { timeZone, limit }: { timeZone: string; limit: number },
): Promise<Suggestions> {
  return suggest(await suggestions.material(userId, LIMITS), { now: clock.now(), timeZone, limit })
}

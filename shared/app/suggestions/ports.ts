import type { SuggestionMaterial } from '../../domain/suggestions/suggestion.ts'

export interface SuggestionReader {
  /** Open tasks by due time, those completed last, and the latest feedback: at most so many of each; one round trip. */
  material(
    userId: string,
    limits: { open: number; done: number; feedback: number },
  ): Promise<SuggestionMaterial>
}

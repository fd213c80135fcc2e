import { BRITISH_ENGLISH, ENGLISH } from './english/english.ts'

/** By the tags that requests name them with. */
export const LANGUAGES = { en: ENGLISH, 'en-GB': BRITISH_ENGLISH } as const
export type LanguageTag = keyof typeof LANGUAGES

import { randomInt } from 'node:crypto'

const WORD_LENGTH = 9

/** Words that nobody else has. */
export const randomWords = (count: number): string[] =>
  Array.from({ length: count }, () =>
    Array.from({ length: WORD_LENGTH }, () => String.fromCharCode(97 + randomInt(26))).join(''),
  )

import { PRIORITIES, tagKey, type Priority } from '../domain/task.ts'

/** More words, or longer ones, than anybody types are cut off, so that a search costs what a search costs. */
const MOST_WORDS = 12
const LONGEST_WORD = 100

/**
 * Runs of letters and digits without their accents: the same that `task_words` (migration 0001) finds in a task, which
 * also lowers the case.
 */
export const wordsIn = (text: string): string[] =>
  text
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .match(/[\p{Alphabetic}0-9]+/gu) ?? []

/** The words of a search text that are looked for. */
export const searchWords = (text: string): string[] =>
  wordsIn(text)
    .slice(0, MOST_WORDS)
    .map((word) => [...word].slice(0, LONGEST_WORD).join(''))

/** The words that a task must hold, each in one of its spellings; of the last one the beginning is enough. */
export type WantedWords = readonly (readonly string[])[]

interface SearchedFor {
  words: WantedWords
  tags: readonly string[]
  tagsMode: 'all' | 'any'
  priorities: readonly Priority[]
}

/**
 * The tsquery for words, tags and priorities among the open or the completed tasks of a user, see {@link lexemePrefix}.
 * Still to be put in lower case, which is left to the database.
 */
export function searchQuery(prefix: string, { words, tags, tagsMode, priorities }: SearchedFor): string {
  const wanted = words.map((spellings, index) => {
    const ending = index === words.length - 1 ? ':*' : ''
    return `(${spellings.map((spelling) => `'${prefix}${spelling}'${ending}`).join(' | ')})`
  })
  const tagged = tags.map((tag) => `'${prefix}#${tagKey(tag).replaceAll(/[\\']/g, String.raw`\$&`)}'`)
  const tagQuery = tagged.length > 0 ? [`(${tagged.join(tagsMode === 'all' ? ' & ' : ' | ')})`] : []
  const ofPriority = priorities.map((priority) => `'${prefix}!${PRIORITIES.indexOf(priority)}'`)
  const priorityQuery = ofPriority.length > 0 ? [`(${ofPriority.join(' | ')})`] : []
  return [...wanted, ...tagQuery, ...priorityQuery].join(' & ')
}

/** What each lexeme of a user's open or completed tasks begins with, see `task_words` in migration 0001. */
export const lexemePrefix = (userId: string, isOpen: boolean): string =>
  `${userId.slice(-6)}${isOpen ? 'o' : 'c'}`

/**
 * For each word the spellings to look for instead: the word itself where the vocabulary knows it, else the nearest words
 * it does know. Null when nothing comes near one of them, or when all are known. The last word may be unfinished.
 */
export function respell(words: readonly string[], vocabulary: ReadonlySet<string>): string[][] | null {
  const typed = words.map((word) => word.toLowerCase())
  const known = typed.map((word, index) => isKnown(word, index === typed.length - 1, vocabulary))
  if (known.every(Boolean)) return null
  const spellings = typed.map((word, index) =>
    known[index] ? [word] : nearest(word, index === typed.length - 1, vocabulary),
  )
  return spellings.every((list) => list.length > 0) ? spellings : null
}

function isKnown(word: string, isUnfinished: boolean, vocabulary: ReadonlySet<string>): boolean {
  // Numbers are left out of the vocabulary: there are too many, and one near another means something else.
  if (/\d/.test(word) || vocabulary.has(word)) return true
  return isUnfinished && vocabulary.values().some((other) => other.startsWith(word))
}

const MOST_SPELLINGS = 5

function nearest(word: string, isUnfinished: boolean, vocabulary: ReadonlySet<string>): string[] {
  const allowed = word.length < 3 ? 0 : word.length < 5 ? 1 : 2
  let best = allowed
  let found: string[] = []
  for (const other of vocabulary) {
    const distance = Math.min(
      editDistance(word, other, best),
      isUnfinished && other.length > word.length
        ? editDistance(word, other.slice(0, word.length), best)
        : Infinity,
    )
    if (distance > best || distance === 0) continue
    if (distance < best) found = []
    best = distance
    if (found.length < MOST_SPELLINGS) found.push(other)
  }
  return found
}

/**
 * Letters to add, drop, change or swap with their neighbour to get from one word to the other ("optimal string
 * alignment"), or Infinity when there are more than `most`.
 */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + (isSame ? 0 : 1),
        isSwap ? before[column - 2]! + 1 : Infinity,
      )
    }
    if (Math.min(...current) > most) return Infinity
    before = previous
    previous = current
  }
  return previous[b.length]! <= most ? previous[b.length]! : Infinity
}

import { editDistance } from '../../domain/edit-distance.ts'
import { PRIORITIES, tagKey, type Priority, type Task } from '../../domain/tasks/task.ts'
import { termsIn, type Term } from './search-terms.ts'

/** The terms that a task must hold, each in one of its spellings. */
export type WantedTerms = readonly { spellings: readonly string[]; isBeginning: boolean }[]

interface SearchedFor {
  terms: WantedTerms
  tags: readonly string[]
  tagsMode: 'all' | 'any'
  priorities: readonly Priority[]
}

/**
 * Six characters of the user id, o for an open and c for a completed task: each lexeme begins with them, so a search reads only what
 * belongs to its user, however many others use the same word, and the planner knows how often a word is in open tasks.
 */
export const lexemePrefix = (userId: string, isOpen: boolean): string =>
  `${userId.slice(-6)}${isOpen ? 'o' : 'c'}`

const tagLexeme = (tag: string): string => `=${escaped(tagKey(tag))}`
const priorityLexeme = (priority: Priority): string => `!${PRIORITIES.indexOf(priority)}`
/** Terms hold neither of the two signs that need it. */
const escaped = (tag: string): string => tag.replaceAll(/[\\']/g, String.raw`\$&`)

/** The column `words`: the terms of title and description, the tags and the priority, as a tsvector. */
export function searchVector(task: Task): string {
  const prefix = lexemePrefix(task.userId, task.completedAt === null)
  const terms = termsIn(task.description === null ? task.title : `${task.title} ${task.description}`)
  return [...terms, ...task.tags.map(tagLexeme), priorityLexeme(task.priority)]
    .map((lexeme) => `'${prefix}${lexeme}'`)
    .join(' ')
}

/** The tsquery for terms, tags and priorities among the open or the completed tasks of a user. */
export function searchQuery(prefix: string, { terms, tags, tagsMode, priorities }: SearchedFor): string {
  const wanted = terms.map(({ spellings, isBeginning }) => {
    const ending = isBeginning ? ':*' : ''
    return `(${spellings.map((spelling) => `'${prefix}${spelling}'${ending}`).join(' | ')})`
  })
  const tagged = tags.map((tag) => `'${prefix}${tagLexeme(tag)}'`)
  const tagQuery = tagged.length > 0 ? [`(${tagged.join(tagsMode === 'all' ? ' & ' : ' | ')})`] : []
  const ofPriority = priorities.map((priority) => `'${prefix}${priorityLexeme(priority)}'`)
  const priorityQuery = ofPriority.length > 0 ? [`(${ofPriority.join(' | ')})`] : []
  return [...wanted, ...tagQuery, ...priorityQuery].join(' & ')
}

export const asTyped = (terms: readonly Term[]): WantedTerms =>
  terms.map(({ text, isBeginning }) => ({ spellings: [text], isBeginning }))

const MAX_SPELLINGS = 5

/** Slips of the pen that are forgiven in a word. */
export const maxEdits = (word: string): number => (word.length < 3 ? 0 : word.length < 5 ? 1 : 2)

/**
 * For each term the spellings to look for instead: itself where it is known or no word, else the nearest of the words that are
 * there (`near`, for each term, may hold others too). Null when nothing comes near one of them, or when all are known.
 */
export function respell(terms: readonly Term[], near: readonly (readonly string[])[]): WantedTerms | null {
  const known = terms.map((term, index) => !term.isWord || isKnown(term, near[index]!))
  if (known.every(Boolean)) return null
  const respelt = terms.map((term, index) => ({
    spellings: known[index] ? [term.text] : nearest(term.text, term.isBeginning, near[index]!),
    isBeginning: term.isBeginning,
  }))
  return respelt.every(({ spellings }) => spellings.length > 0) ? respelt : null
}

const isKnown = ({ text, isBeginning }: Term, others: readonly string[]): boolean =>
  others.some((other) => (isBeginning ? other.startsWith(text) : other === text))

function nearest(word: string, isUnfinished: boolean, others: readonly string[]): string[] {
  let best = maxEdits(word)
  let found: string[] = []
  for (const other of others) {
    const distance = Math.min(
      editDistance(word, other, best),
      isUnfinished && other.length > word.length
        ? editDistance(word, other.slice(0, word.length), best)
        : Infinity,
    )
    if (distance > best || distance === 0) continue
    if (distance < best) found = []
    best = distance
    found.push(other)
  }
  return found.toSorted().slice(0, MAX_SPELLINGS)
}

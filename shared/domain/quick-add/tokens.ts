import { MAX_TAGS, tagKey, type Priority } from '../tasks/task.ts'
import { endsOrGoesOn, findPhrases, type Draft } from './draft.ts'
import type { Calendar, Language } from './language.ts'

const QUOTED = /"[^"\n]{1,500}"|“[^”\n]{1,500}”|„[^“”\n]{1,500}[“”]|«[^»\n]{1,500}»/gu
const ADDRESS =
  /(?<![^\s(])(?:[a-z][a-z0-9+.-]{1,20}:\/\/\S+|www\.\S+|[^\s@]{1,64}@[^\s@]{1,255}\.[^\s@]{1,64})/giu
const ESCAPED = /(?<![^\s(])\\(?=\S)[^\s\\]*/gu

/** What is to stay as it is: quotations, addresses, names, and words after a backslash, which goes. */
export function keepLiterals(draft: Draft, { names }: Language): void {
  for (const pattern of [QUOTED, ADDRESS, names]) {
    for (const match of draft.open.matchAll(pattern)) {
      draft.keep({ start: match.index, end: match.index + match[0].length })
    }
  }
  for (const match of draft.open.matchAll(ESCAPED)) {
    draft.keepEscaped({ start: match.index, end: match.index + match[0].length })
  }
}

const MAX_TAG_LENGTH = 50
/** With a letter in it: #42 is a number. */
const TAG = /(?<![^\s(,;\uE000])#(?<tag>[\p{L}\p{N}\p{M}_][\p{L}\p{N}\p{M}_/-]*)/gu

export function readTags(draft: Draft): string[] {
  const tags = new Map<string, string>()
  for (const match of draft.open.matchAll(TAG)) {
    const tag = match.groups!['tag']!.replace(/[/-]+$/, '')
    if (!/\p{L}/u.test(tag) || tag.length > MAX_TAG_LENGTH) continue
    if (tags.size === MAX_TAGS && !tags.has(tagKey(tag))) continue
    if (!tags.has(tagKey(tag))) tags.set(tagKey(tag), tag)
    draft.claim('tag', { start: match.index, end: match.index + 1 + tag.length })
  }
  return [...tags.values()]
}

const SIGN = /(?<![^\s\uE000])(?:!(?<word>high|medium|low|[1-3])|(?<p>p[1-4]))(?![^\s,;.\uE000])/giu
const SIGNS: Readonly<Record<string, Priority>> = {
  high: 'high',
  1: 'high',
  p1: 'high',
  medium: 'medium',
  2: 'medium',
  p2: 'medium',
  low: 'low',
  3: 'low',
  p3: 'low',
  p4: 'low',
}

/** Signs are the same in every language. Of several the last one counts; words stay in the title then. */
export function readPriority(
  draft: Draft,
  context: { language: Language; calendar: Calendar },
): Priority | null {
  const { language } = context
  const isSign = (match: RegExpExecArray) =>
    match.groups!['word'] !== undefined ||
    (endsOrGoesOn(draft.open, match.index + match[0].length, language) &&
      !language.tied.test(draft.open.slice(0, match.index).trimEnd()))
  const signs = [...draft.open.matchAll(SIGN)].filter(isSign).map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    meaning: SIGNS[(match.groups!['word'] ?? match.groups!['p']!).toLowerCase()]!,
  }))
  const found = signs.length > 0 ? signs : findPhrases(draft.open, language.priorities, context)
  const last = found.at(-1)
  if (!last) return null
  draft.claim('priority', last)
  return last.meaning
}

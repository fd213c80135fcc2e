import { blankAll, type Range } from './draft.ts'
import type { Language } from './language.ts'

/** Something that a text says, in words that are not claimed yet. */
export interface Part extends Range {
  isUnread: boolean
  /** Of each a group has one at most: two days, or two times, are a choice, a list or a range. */
  says: readonly ('day' | 'time' | 'rule')[]
  /** Nothing before it belongs to it. */
  isFirst?: boolean
}

/**
 * What stands beside each other, or is tied by a word like "and", is understood as a whole or not at all: half of what is said
 * ("every tuesday" of "every tuesday except dec 15") is worse than nothing, as the title no longer shows what was meant.
 */
export function withoutTorn<P extends Part>(
  text: string,
  parts: readonly P[],
  language: Language,
): { whole: P[]; torn: P[] } {
  const groups: { parts: P[]; isTorn: boolean }[] = []
  const outside = blankAll(text, parts)
  for (const part of parts.toSorted((a, b) => a.start - b.start)) {
    const last = groups.at(-1)
    const between = text.slice(last?.parts.at(-1)?.end ?? 0, part.start)
    const tie = language.tied.exec(between.replace(/[\s\uE000]+$/, ''))
    const isBeside = /^[\s,\uE000]*$/.test(tie ? between.slice(0, tie.index) : between)
    const isTorn = part.isUnread || tie !== null || goesOn(text, part, { outside, language })
    if (last && isBeside && (tie || !part.isFirst)) {
      last.isTorn ||= isTorn || hasTwo([...last.parts, part])
      last.parts.push(part)
    } else groups.push({ parts: [part], isTorn })
  }
  const of = (isTorn: boolean) =>
    groups.filter((group) => group.isTorn === isTorn).flatMap((group) => group.parts)
  return { whole: of(false), torn: of(true) }
}

const hasTwo = (parts: readonly Part[]): boolean => {
  const said = parts.flatMap(({ says }) => says)
  return new Set(said).size < said.length
}

/** A number alone goes on only with what has one: "at 8 and 20", but not "today and 3 eggs". */
function goesOn(
  text: string,
  { start, end }: Range,
  { outside, language }: { outside: string; language: Language },
): boolean {
  const match = language.more.exec(outside.slice(end))
  return match !== null && (match.groups!['number'] === undefined || /\d/.test(text.slice(start, end)))
}

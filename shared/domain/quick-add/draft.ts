import type { Calendar, Language, Phrase, SpanKind } from './language.ts'

export interface Range {
  start: number
  end: number
}

/** A part of the text, in UTF-16 code units, and what it was read as. */
export interface Span extends Range {
  kind: SpanKind
}

/** In place of what has been read, and of what is to be left alone. Neither is part of a word. */
const READ = '\uE000'
const LITERAL = '\uE001'

/** The text of a task while it is read: what has been read is blanked out for whoever comes next. */
export class Draft {
  readonly text: string
  readonly spans: Span[] = []
  /** As long as the text; blanked out where it has been read. */
  open: string
  readonly #escapes = new Set<number>()

  constructor(text: string) {
    this.text = text
    this.open = text
  }

  keep({ start, end }: Range): void {
    this.open = blank(this.open, { start, end }, LITERAL)
  }

  /** As `keep`, without the sign before it. */
  keepEscaped({ start, end }: Range): void {
    this.#escapes.add(start)
    this.keep({ start, end })
  }

  claim(kind: SpanKind, { start, end }: Range): void {
    const part = this.text.slice(start, end)
    const range = { start: end - part.trimStart().length, end: start + part.trimEnd().length }
    this.spans.push({ kind, ...range })
    this.open = blank(this.open, range)
  }

  inOrder(): Span[] {
    return this.spans.toSorted((a, b) => a.start - b.start)
  }

  /** What is left: without what has been read, and without the commas and blanks around it. */
  title(): string {
    const isLeft = Array.from({ length: this.text.length }, () => true)
    for (const { start, end } of this.spans) isLeft.fill(false, start, end)
    for (const index of this.#escapes) isLeft[index] = false
    let left = ''
    for (let index = 0; index < this.text.length; index += 1) {
      if (isLeft[index]) left += this.text[index]
      else if (isLeft[index - 1] && !this.#escapes.has(index)) left += ' '
    }
    return left
      .replaceAll(/\(\s*\)|\[\s*\]/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/ (?=[,;:.!?](?:\s|$))/g, '')
      .replaceAll(/[,;:](?:\s*[,;])+/g, ',')
      .replaceAll(/^[\s,;:–—-]+(?=\s|\p{L})|(?:\s+[–—-]|[,;:])+\s*$/gu, '')
      .trim()
  }
}

export const blank = (text: string, { start, end }: Range, by = READ): string =>
  text.slice(0, start) + by.repeat(end - start) + text.slice(end)

export const blankAll = (text: string, ranges: readonly Range[]): string =>
  ranges.reduce((rest, range) => blank(rest, range), text)

/** Everything in `open` that one of the phrases matches, first come first served: what one has matched, no other does. */
export function findPhrases<Meaning>(
  open: string,
  phrases: readonly Phrase<Meaning>[],
  { language, calendar }: { language: Language; calendar: Calendar },
): (Range & { meaning: Meaning })[] {
  const found: (Range & { meaning: Meaning })[] = []
  let rest = open
  for (const phrase of phrases) {
    for (const match of rest.matchAll(phrase.pattern)) {
      const range = { start: match.index, end: match.index + match[0].length }
      if (match[0] === '' || !isWhole(rest, range)) continue
      if (phrase.isPlainWord && !standsAside(rest, range, language)) continue
      const meaning = phrase.read(match.groups ?? {}, calendar)
      if (meaning === null) continue
      found.push({ ...range, meaning })
      rest = blank(rest, range)
    }
  }
  return found.toSorted((a, b) => a.start - b.start)
}

/** Neither within a word nor the beginning of `today's` or `friday-ish`. */
export function isWhole(text: string, { start, end }: Range): boolean {
  return (
    !/[\p{L}\p{N}_][-'’./]?$|[@#$€/\\+]$/u.test(text.slice(Math.max(0, start - 2), start)) &&
    !/^(?:[\p{L}\p{N}_%°#@]|[-'’/:.][\p{L}\p{N}]|,\p{N})/u.test(text.slice(end, end + 2))
  )
}

export function standsAside(text: string, { start, end }: Range, language: Language): boolean {
  const before = text.slice(0, start)
  const leads = [language.leadIn, language.until, language.starting]
  return endsOrGoesOn(text, end, language) || leads.some((lead) => lead.test(before))
}

/** As a word of more than titles does: in any sentence, but in no name. */
export function standsApart(text: string, range: Range, language: Language): boolean {
  const before = text.slice(0, range.start)
  return (
    language.goesOnAfterDay.test(text.slice(range.end)) ||
    (standsAside(text, range, language) &&
      (endsOrGoesOn(text, range.end, language) || !language.ofPlaces.test(before)))
  )
}

export function endsOrGoesOn(text: string, end: number, language: Language): boolean {
  const after = text.slice(end)
  return /^\s*(?:$|[.,;:!?)]|\uE000)/.test(after) || language.goesOn.test(after)
}

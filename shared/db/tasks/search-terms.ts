/** More words, or longer ones, than anybody types are cut off, so that a search costs what a search costs. */
const MAX_TERMS = 16
const MAX_WORD_LENGTH = 100
/** Of a run without spaces: short enough to be few keys of an index, long enough to tell Thai syllables apart. */
const GRAM = 3

/**
 * Letters that Unicode does not take apart, but the root collation (DUCET) or those who write them hold for others: Latin letters
 * with strokes and ligatures, final forms of Hebrew letters, Arabic and Persian forms of one letter.
 */
const LETTERS: Readonly<Record<string, string>> = Object.fromEntries(
  'æ-ae œ-oe ø-o ł-l đ-d ð-d ħ-h ŧ-t þ-th ŋ-n ß-ss ς-σ ך-כ ם-מ ן-נ ף-פ ץ-צ ٱ-ا ى-ي ی-ي ة-ه ک-ك ـ-'
    .split(' ')
    .map((pair) => pair.split('-')),
)
const ODD_LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu')

/**
 * Accents, Hebrew and Arabic vowel points, and what is not seen (joiners, soft hyphens, the colour of an emoji). Not the marks
 * of Indian and Thai vowels, nor the voicing of kana: those make other words.
 */
const MARKS =
  /[[[[\p{Mn}\p{Me}]&&[\p{sc=Inherited}\p{sc=Cyrillic}\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}]]\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}]--[\u3099\u309a]]/gv

/** The text as it is compared in searches: without case, accents and forms of letters; digits are 0 to 9. */
export const folded = (text: string): string =>
  text
    .replaceAll(/[^\0-\x7f]+/g, foldedPart)
    .toLowerCase()
    .replaceAll('l·l', 'll')

const foldedPart = (part: string): string =>
  part
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .replaceAll(ODD_LETTER, (letter) => LETTERS[letter]!)
    .replaceAll(/[\p{Nd}--[0-9]]/gv, digit)
    .normalize('NFC')

/** Digits of a script are ten in a row, and NFKD has taken care of the blocks that lie next to each other. */
function digit(character: string): string {
  const code = character.codePointAt(0)!
  let zero = code
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1
  return String((code - zero) % 10)
}

/** Written without spaces: scripts whose words stand in a row, and emoji and other symbols. */
const UNSPACED = String.raw`[[\p{L}\p{M}\p{N}]&&[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Yiii}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tale}\p{scx=Talu}\p{scx=Lana}\p{scx=Tavt}\p{scx=Java}\p{scx=Bali}]]`
const SYMBOL = String.raw`[\p{S}--\p{ASCII}]`
const LETTER = String.raw`[[\p{L}\p{M}\p{N}]--${UNSPACED}]`
/** `.net`, `#tag`, `@ada`; `c++`, `c#`: signs that make another word of the one they touch. */
const TERM = new RegExp(
  String.raw`(?<run>${UNSPACED}+|${SYMBOL}+)|(?<before>[#@.]?)(?<word>${LETTER}+)(?<after>[+#]+(?!${LETTER}))?`,
  'gv',
)

/** What a task is found by: the terms that are stored of its text. */
export function termsIn(text: string): string[] {
  const terms = new Set<string>()
  for (const { groups } of folded(text).matchAll(TERM)) {
    const { run, before, word, after } = groups as Partial<Record<string, string>>
    if (run !== undefined) for (const gram of gramsOf(run)) terms.add(gram)
    if (word === undefined) continue
    const short = cut(word)
    terms.add(short)
    if (before) terms.add(before + short)
    if (after !== undefined) terms.add(short + after.slice(0, GRAM))
  }
  return [...terms]
}

/** Every place of the run with what follows: so a part of the run is the beginning of one of them, or several in a row. */
function gramsOf(run: string): string[] {
  const places = [...run.matchAll(/./gsu)].map(({ index }) => index)
  return places.map((start, nth) => run.slice(start, places[nth + GRAM]))
}

const cut = (word: string): string =>
  word.length <= MAX_WORD_LENGTH ? word : [...word].slice(0, MAX_WORD_LENGTH).join('')

/** What a text must hold to be found. */
export interface Term {
  text: string
  /** The text may go on after it: the last word that was typed, or a part of a run. */
  isBeginning: boolean
  /** A plain word that may be misspelt. Numbers are not: one near another means something else. */
  isWord: boolean
}

/** The terms that are looked for; none for a text without a letter, a digit or a symbol. */
export function wantedTerms(q: string): Term[] {
  const text = folded(q)
  const matches = [...text.matchAll(TERM)]
  const terms = matches.flatMap(({ groups, index }, nth): Term[] => {
    const { run, before = '', word = '', after } = groups as Partial<Record<string, string>>
    const isLast = nth === matches.length - 1
    if (run !== undefined) return partsOf(run)
    const isMarked = before !== '' && !/[\p{L}\p{M}\p{N}]$/v.test(text.slice(0, index))
    const short = cut(word)
    const marked = [
      ...(isMarked ? [before + short] : []),
      ...(after === undefined ? [] : [short + after.slice(0, GRAM)]),
    ]
    if (marked.length > 0) return marked.map((sign) => ({ text: sign, isBeginning: isLast, isWord: false }))
    return [{ text: short, isBeginning: isLast, isWord: !/\d/.test(short) }]
  })
  return terms.slice(0, MAX_TERMS)
}

function partsOf(run: string): Term[] {
  const whole = gramsOf(run).filter((gram) => [...gram].length === GRAM)
  const parts = whole.length > 0 ? whole : [run]
  return parts.map((text) => ({ text, isBeginning: whole.length === 0, isWord: false }))
}

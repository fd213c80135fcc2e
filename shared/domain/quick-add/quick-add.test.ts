import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { describeQuickAdd, readCorpus } from '../../../testing/builders/quick-add-corpus.ts'
import { LANGUAGES } from './languages.ts'
import { MAX_TEXT_LENGTH, parseQuickAdd, type QuickAddContext } from './quick-add.ts'

const corpus = readCorpus()
const zoneBefore = process.env.TZ
const context: QuickAddContext = {
  now: new Date('2026-12-02T09:30:00Z'),
  timeZone: 'Europe/Berlin',
  firstDayOfWeek: 'MO',
  language: 'en',
}

const read = (text: string) => parseQuickAdd(text, context)
const parts = (text: string) => read(text).spans.map(({ kind, start, end }) => [kind, text.slice(start, end)])

function useHostZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
}

afterEach(() => useHostZone(zoneBefore))

describe('the corpus', () => {
  it('has at least 500 lines, each once', () => {
    const keys = corpus.map(({ text, context: { now, ...where } }) => JSON.stringify([text, now, where]))
    expect(keys.length).toBeGreaterThanOrEqual(500)
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  })

  // chrono works with the zone of the host, of which nothing may come through: clocks change there on other days.
  it.each(['UTC', 'America/New_York', 'Pacific/Apia', 'Europe/Berlin'])(
    'is read as it says on a host in %s',
    (zone) => {
      useHostZone(zone)
      const wrong = corpus
        .map(({ text, expected, context: at, line }) => ({
          line,
          text,
          expected,
          read: describeQuickAdd(parseQuickAdd(text, at)),
        }))
        .filter((one) => one.read !== one.expected)
      expect(wrong).toEqual([])
    },
  )
})

describe('half of what is said', () => {
  const whole = corpus.filter(({ text, context: { now } }) => {
    const { spans } = parseQuickAdd(text, context)
    const last = spans.at(-1)
    return (
      now.getTime() === corpus[0]!.context.now.getTime() &&
      (last?.kind === 'due' || last?.kind === 'recurrence') &&
      last.end === text.length
    )
  })

  // "at 9am and 5pm" is understood; "every tuesday except dec 15" is not, and stays as it is.
  it.each([
    'and monday',
    'or on friday',
    'to 12 december',
    'to saturday',
    'except dec 15',
    'but not on sunday',
    'and every thursday',
    'and 8pm',
    'until 6pm',
    'of next year',
  ])('is not read: "… %s" is read with what it is tied to, or neither is', (tail) => {
    expect(whole.length).toBeGreaterThan(300)
    const torn = whole
      .map(({ text, context: at }) => ({ text: `${text} ${tail}`, at, before: parseQuickAdd(text, at) }))
      .map(({ text, at, before }) => ({ text, before, after: parseQuickAdd(text, at) }))
      .filter(({ text, before, after }) => {
        const isTailLeft = after.title.endsWith(tail)
        const last = before.spans.at(-1)!
        const isReadAsBefore = after.spans.some(({ start, end }) => start < last.end && end > last.start)
        return isTailLeft ? isReadAsBefore : !after.spans.some(({ end }) => end === text.length)
      })
    expect(torn.map(({ text, after }) => [text, describeQuickAdd(after)])).toEqual([])
  })
})

describe('spans', () => {
  it.each([
    ['Call mom tomorrow at 5pm', [['due', 'tomorrow at 5pm']]],
    [
      'Tomorrow: call mom at 5pm',
      [
        ['due', 'Tomorrow'],
        ['due', 'at 5pm'],
      ],
    ],
    [
      'Pay rent every month on the 1st at 9am !high #home remind me 1 day before',
      [
        ['recurrence', 'every month on the 1st'],
        ['due', 'at 9am'],
        ['priority', '!high'],
        ['tag', '#home'],
        ['reminder', 'remind me 1 day before'],
      ],
    ],
    [
      'Swim every monday from january 4 until june 1',
      [
        ['recurrence', 'every monday'],
        ['due', 'from january 4'],
        ['recurrence', 'until june 1'],
      ],
    ],
    [
      'Take pills at 9am and 9pm every day',
      [
        ['due', 'at 9am and 9pm'],
        ['recurrence', 'every day'],
      ],
    ],
    [
      'Remind me tomorrow at 9 to call Bob',
      [
        ['reminder', 'Remind me tomorrow at 9'],
        ['reminder', 'to'],
      ],
    ],
    ['🎂 cake on friday', [['due', 'on friday']]],
  ])('say which part of %j became what', (text, expected) => {
    expect(parts(text)).toEqual(expected)
  })
})

const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? []

const ODD = [
  '\\',
  '"',
  '“',
  '#',
  '!',
  '!!!',
  ',',
  '\uE000',
  '\uE001',
  '\u0000',
  '🎂',
  '\uD800',
  'İ',
  '  ',
  '\n',
  '@',
]
const WORDS = [...new Set(corpus.flatMap(({ text }) => text.split(' '))), ...ODD]

describe('any text', () => {
  const texts = fc.oneof(
    fc.array(fc.constantFrom(...WORDS), { maxLength: 25 }).map((words) => words.join(' ')),
    fc.array(fc.constantFrom(...WORDS), { maxLength: 25 }).map((words) => words.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
  )
  const contexts = fc.record({
    now: fc.date({ min: new Date('1971-01-01'), max: new Date('2190-01-01'), noInvalidDate: true }),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu'),
    firstDayOfWeek: fc.constantFrom('MO' as const, 'SU' as const),
    language: fc.constantFrom('en' as const, 'en-GB' as const),
  })

  it('is read without an error, into spans within it that do not overlap, and the same each time', () => {
    fc.assert(
      fc.property(texts, contexts, (long, at) => {
        const text = long.slice(0, MAX_TEXT_LENGTH)
        const said = parseQuickAdd(text, at)
        let end = 0
        for (const span of said.spans) {
          expect(span.start).toBeGreaterThanOrEqual(end)
          expect(span.end).toBeGreaterThan(span.start)
          end = span.end
        }
        expect(end).toBeLessThanOrEqual(text.length)
        expect(said.title.length).toBeLessThanOrEqual(text.length)
        expect(parseQuickAdd(text, at)).toEqual(said)
      }),
      { numRuns: 400 },
    )
  })

  it('keeps each word in the title, or in a span', () => {
    fc.assert(
      fc.property(texts, contexts, (long, at) => {
        const text = long.slice(0, MAX_TEXT_LENGTH)
        const { title, spans } = parseQuickAdd(text, at)
        const left = spans.reduceRight(
          (rest, { start, end }) => `${rest.slice(0, start)} ${rest.slice(end)}`,
          text,
        )
        expect(wordsOf(title)).toEqual(wordsOf(left))
      }),
      { numRuns: 400 },
    )
  })

  it('leaves no word that ties a day, a time or a repetition to something else without it', () => {
    fc.assert(
      fc.property(texts, contexts, (long, at) => {
        const text = long.slice(0, MAX_TEXT_LENGTH)
        const { spans } = parseQuickAdd(text, at)
        const isRead = (index: number) => spans.some(({ start, end }) => start <= index && index < end)
        const left = spans
          .filter(({ kind }) => kind === 'due' || kind === 'recurrence')
          .map(({ start }) =>
            /(?<![\p{L}\p{N}_])(?:and|or|to|of|from|except|but|not)\s+$/iu.exec(text.slice(0, start)),
          )
          .filter((tie) => tie !== null && !isRead(tie.index))
        expect(left).toEqual([])
      }),
      { numRuns: 400 },
    )
  })
})

describe('dates of chrono', () => {
  // Nothing takes these results, and looking for them took most of the time of the longest texts ("1h 1h 1h …").
  it.each(['1h ago', '2 days later', 'in 3 weeks', '4 minutes earlier', 'next 5 months'])(
    'leave out %j',
    (text) => {
      for (const { dates } of Object.values(LANGUAGES)) expect(dates.parse(text)).toEqual([])
    },
  )
})

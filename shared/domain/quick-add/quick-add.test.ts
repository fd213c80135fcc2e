import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { describeQuickAdd, readCorpus } from '../../../testing/builders/quick-add-corpus.ts'
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
})

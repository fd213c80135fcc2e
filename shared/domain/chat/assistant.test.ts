import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { intendedCall, MAX_SENTENCE_LENGTH } from './assistant.ts'

const here = {
  now: new Date('2026-12-02T09:30:00Z'),
  timeZone: 'Europe/Berlin',
  firstDayOfWeek: 'MO',
  language: 'en',
} as const

const lines = readFileSync(new URL('sentences.txt', import.meta.url), 'utf8').split('\n')
const sentences = lines.flatMap((line, index) =>
  /^(?: |#|$)/.test(line) ? [] : [{ sentence: line, expected: lines[index + 1]!.trim() }],
)

function described(sentence: string): string {
  const call = intendedCall(sentence, here)
  if (call === null) return 'nothing'
  const task = 'task' in call ? [JSON.stringify(call.task)] : []
  return [call.tool, ...task, JSON.stringify(call.arguments)].join(' ')
}

describe('the assistant without a model', () => {
  it('knows at least 100 sentences', () => {
    expect(new Set(sentences.map(({ sentence }) => sentence)).size).toBeGreaterThanOrEqual(100)
  })

  it.each(sentences)('takes "$sentence" for $expected', ({ sentence, expected }) => {
    expect(described(sentence)).toBe(expected)
  })

  it.each(sentences.slice(0, 20))('does not mind case, blanks and politeness: $sentence', ({ sentence }) => {
    const shouted = `  Please ${sentence.toUpperCase()} , please!! `
    expect(described(shouted).split(' ')[0]).toBe(described(sentence).split(' ')[0])
  })

  it.each(['a ', 'mark ', 'my ', 'please ', 'move x to ', 'remind me about ', '"', ' ', 'show the tasks '])(
    'has an answer to many times %j, and to too much of it none',
    (part) => {
      const long = part.repeat(MAX_SENTENCE_LENGTH)
      expect(() => intendedCall(long.slice(0, MAX_SENTENCE_LENGTH), here)).not.toThrow()
      expect(intendedCall(long, here)).toBeNull()
    },
  )
})

import { describe, expect, it } from 'vitest'
import { recentlyUsed } from './task-reader-memory.ts'

const MB = 1024 * 1024
const isThere = (memory: { get(key: string): unknown }, keys: string[]) =>
  keys.filter((key) => memory.get(key) !== undefined).map((key) => key[0])

describe('what a reader remembers', () => {
  it('is forgotten, the longest unused first, once it weighs too much', () => {
    const memory = recentlyUsed<number>(MB)
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000)) as [string, string, string]
    memory.set(a, 1)
    memory.set(b, 1)
    expect(memory.get(a)).toBe(1)
    memory.set(c, 1)
    expect(isThere(memory, [a, b, c])).toEqual(['a', 'c'])
  })

  it('weighs what its values hold as well, and no longer what was replaced', () => {
    const memory = recentlyUsed<string>(MB, (value) => value.length)
    for (let time = 0; time < 10; time += 1) memory.set('a', 'x'.repeat(200_000))
    memory.set('b', 'x'.repeat(200_000))
    expect(isThere(memory, ['a', 'b'])).toEqual(['a', 'b'])
    memory.set('c', 'x'.repeat(MB))
    expect(isThere(memory, ['a', 'b', 'c'])).toEqual([])
  })

  it('holds thousands of small entries', () => {
    const memory = recentlyUsed<number>(8 * MB)
    const keys = Array.from({ length: 8000 }, (_, index) => `${index} ${'k'.repeat(300)}`)
    for (const key of keys) memory.set(key, 1)
    expect(isThere(memory, keys)).toHaveLength(8000)
  })
})

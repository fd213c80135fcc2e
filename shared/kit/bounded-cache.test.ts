import { describe, expect, it } from 'vitest'
import { createBoundedCache } from './bounded-cache.ts'

describe('createBoundedCache', () => {
  it('forgets a value at its expiry', () => {
    const cache = createBoundedCache<string>(10)
    cache.set('a', 'one', 100)
    expect(cache.get('a', 99)).toBe('one')
    expect(cache.get('a', 100)).toBeUndefined()
    expect(cache.get('a', 99)).toBeUndefined()
  })

  it('lets go of what was not asked for the longest when it is full', () => {
    const cache = createBoundedCache<number>(2)
    cache.set('a', 1, 100)
    cache.set('b', 2, 100)
    expect(cache.get('a', 0)).toBe(1)
    cache.set('c', 3, 100)
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 0))).toEqual([1, undefined, 3])
  })

  it('replaces a value without letting go of another', () => {
    const cache = createBoundedCache<number>(2)
    cache.set('a', 1, 100)
    cache.set('b', 2, 100)
    cache.set('b', 3, 100)
    expect(['a', 'b'].map((key) => cache.get(key, 0))).toEqual([1, 3])
  })
})

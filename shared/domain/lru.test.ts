import { describe, expect, it } from 'vitest'
import { createLru } from './lru.ts'

describe('createLru', () => {
  it('lets go of what was not asked for the longest when it is full', () => {
    const cache = createLru<number>(2)
    cache.set('a', 1)
    cache.set('b', 2)
    expect(cache.get('a')).toBe(1)
    cache.set('c', 3)
    expect(['a', 'b', 'c'].map(cache.get)).toEqual([1, undefined, 3])
  })

  it('replaces a value without letting go of another', () => {
    const cache = createLru<number>(2)
    cache.set('a', 1)
    cache.set('b', 2)
    cache.set('b', 3)
    expect(['a', 'b'].map(cache.get)).toEqual([1, 3])
  })

  it('counts what an entry weighs, and no longer what was deleted or replaced', () => {
    const cache = createLru<string>(10, (key, value) => key.length + value.length)
    cache.set('a', '123456789')
    cache.set('a', '1234')
    cache.set('b', '1234')
    expect(['a', 'b'].map(cache.get)).toEqual(['1234', '1234'])
    cache.delete('a')
    cache.set('c', '1234')
    expect(['a', 'b', 'c'].map(cache.get)).toEqual([undefined, '1234', '1234'])
    cache.set('d', 'more than fits')
    expect(['b', 'c', 'd'].map(cache.get)).toEqual([undefined, undefined, undefined])
  })
})

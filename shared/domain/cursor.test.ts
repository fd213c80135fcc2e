import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cursorAt, readCursor } from './cursor.ts'

const Place = z.tuple([z.string(), z.int()])
const list = { list: 'books', q: 'x', after: new Date(0), tags: ['a', 'b'], sort: 'title' }
const encoded = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url')
const decoded = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
const refused = { code: 'request.invalid', errors: [{ path: 'cursor' }] }
const errorOf = (cursor: string, of: object = list) => {
  try {
    return readCursor(of, Place, cursor)
  } catch (error) {
    return error
  }
}

describe('a cursor', () => {
  it('leads back to its place, and is plain in a URL', () => {
    const cursor = cursorAt(list, ['Ü 💥 "/?&', 7])
    expect(readCursor(structuredClone(list), Place, cursor)).toEqual(['Ü 💥 "/?&', 7])
    expect(encodeURIComponent(cursor)).toBe(cursor)
  })

  it.each([
    { ...list, list: 'films' },
    { ...list, q: 'y' },
    { ...list, after: new Date(1) },
    { ...list, tags: ['a'] },
    { ...list, sort: 'year' },
  ])('holds for no other list: %o', (other) => {
    expect(errorOf(cursorAt(list, ['a', 1]), other)).toMatchObject(refused)
  })

  const [version, of] = decoded(cursorAt(list, ['a', 1]))
  it.each([
    '',
    'x',
    '\u0000',
    '💥',
    encoded(null),
    encoded({ 0: version, 1: of, 2: ['a', 1], length: 3 }),
    encoded([version, of]),
    encoded([version, of, ['a', 1], 'more']),
    encoded([2, of, ['a', 1]]),
    encoded([version, of, ['a', '1']]),
    encoded([version, of, ['a', 1e300]]),
    encoded([version, of, null]),
    '['.repeat(4000),
    encoded('['.repeat(4000)),
    Buffer.from('['.repeat(4000)).toString('base64url'),
  ])('is refused by name when it is none: %j', (cursor) => {
    expect(errorOf(cursor)).toMatchObject(refused)
  })
})

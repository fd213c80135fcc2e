import { expect, it } from 'vitest'
import { z } from 'zod'
import { fieldErrors, summaryOf } from './field-errors.ts'
import { queryReader } from './query-values.ts'

const Query = z.strictObject({
  flag: z.boolean().default(false),
  limit: z.int().min(1).max(100).default(50),
  tags: z.array(z.string().trim().min(1)).default([]),
  numbers: z.array(z.int()).optional(),
  q: z.string().optional(),
})
const read = queryReader(Query)
const parse = (query: Record<string, string | string[]>) => {
  const texts = Object.entries(query).map(([name, value]) => [name, [value].flat()])
  return Query.safeParse(read(Object.fromEntries(texts)))
}

it('reads the texts of a URL as the values that the schema is about', () => {
  const given = { flag: 'true', limit: '20', tags: 'home, garden,,', numbers: '1,-2', q: '12' }
  expect(parse(given).data).toEqual({
    flag: true,
    limit: 20,
    tags: ['home', 'garden'],
    numbers: [1, -2],
    q: '12',
  })
  expect(parse({}).data).toEqual({ flag: false, limit: 50, tags: [] })
})

it.each<[string | string[], string[]]>([
  ['', []],
  ['a,b', ['a', 'b']],
  [
    ['a', 'b,c'],
    ['a', 'b,c'],
  ],
  [['b,c', ''], ['b,c']],
  [
    ['b,c', 'b,c'],
    ['b,c', 'b,c'],
  ],
])(
  'takes a list once, with commas, or as often as it has entries, which may hold commas: %j',
  (tags, entries) => {
    expect(parse({ tags }).data?.tags).toEqual(entries)
  },
)

it('takes numbers one by one, too', () => {
  expect(parse({ numbers: ['1', '2'] }).data?.numbers).toEqual([1, 2])
  expect(parse({ numbers: ['1,2', '3'] }).success).toBe(false)
})

it.each(['limit', 'flag', 'q', 'unknown'])('refuses %s given twice', (name) => {
  expect(() => parse({ [name]: ['1', '1'] })).toThrow('given more than once')
})

it.each<Record<string, string | string[]>>([
  { flag: 'yes' },
  { flag: '' },
  { limit: '' },
  { limit: '1e1' },
  { limit: '0x10' },
  { limit: '1.5' },
  { limit: '99999999999999999999' },
  { limit: '101' },
  { numbers: '1,two' },
  { tags: ',' },
  { tags: ' , ' },
  { tags: ['', ' '] },
  { numbers: ',,' },
  { toString: '1' },
  { __proto__x: '1' },
])('leaves to the schema what is no such value: %j', (query) => {
  expect(parse(query).success).toBe(false)
})

it('says of a part of one that a whole number is wanted', () => {
  const { error } = Query.safeParse(queryReader(Query)({ limit: ['1.5'] }))
  expect(summaryOf(fieldErrors(error!))).toBe('limit: must be a whole number')
})

it('leaves values of JSON to the schema as they are', () => {
  expect(Query.parse({ flag: true, limit: 20, tags: ['home'] })).toMatchObject({ limit: 20 })
})

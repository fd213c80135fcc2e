import { beforeAll, describe, expect, it } from 'vitest'
import { systemIds, systemTimer } from '../../kit/system.ts'
import { tasksAdded } from '../../../testing/builders/a-task.ts'
import { countedDatabase, type CountedDatabase } from '../../../testing/worlds/counted-database.ts'
import { EVERYTHING } from '../../../testing/builders/task-queries.ts'
import { createChangeStore } from '../changes/change-store.ts'
import { nearWords } from './near-words.ts'
import { wantedTerms } from './search-terms.ts'
import { createTaskReader } from './task-reader.ts'

/** Different ones for each number, of 9 to 13 letters. */
const madeWord = (number: number) =>
  `w${[...(number * 7_919_993).toString(2)].map((digit) => 'ab'[Number(digit)]).join('')}`.slice(0, 24)
const UNKNOWN = ['qzxvbnm', 'wertyui', 'asdfghj', 'zxcvbnm', 'poiuyt', 'lkjhgf'].flatMap((word) => [
  word,
  `${word}q`,
])

let database: CountedDatabase
/** Somebody with long notes, and somebody with a few words. */
let writer: string
let userId: string
beforeAll(async () => {
  database = await countedDatabase()
  writer = systemIds.uuid()
  userId = systemIds.uuid()
  const changes = createChangeStore(database.sql)
  for (let first = 0; first < 200; first += 50) {
    const notes = Array.from({ length: 50 }, (_, index) => ({
      title: 'note',
      description: Array.from({ length: 190 }, (_word, place) =>
        madeWord(190 * (first + index) + place + 1),
      ).join(' '),
    }))
    await changes.commit(tasksAdded(writer, notes))
  }
  await changes.commit(tasksAdded(userId, [{ title: 'note' }]))
})

describe('a misspelt search', () => {
  it('leaves the vocabulary where it is', async () => {
    const reader = createTaskReader(database.sql, systemTimer)
    const before = database.received()
    expect((await reader.list(writer, { ...EVERYTHING, q: UNKNOWN.join(' ') })).items).toEqual([])
    expect(database.statements('levenshtein')).toBeGreaterThan(0)
    expect(database.received() - before).toBeLessThan(100_000)
  })

  it('is looked up once for all who ask the same at the same time', async () => {
    const reader = createTaskReader(database.sql, systemTimer)
    const before = database.statements('levenshtein')
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => reader.list(userId, { ...EVERYTHING, q: 'ntoe', limit: 1 })),
    )
    expect(pages.map(({ items }) => items[0]?.title)).toEqual(Array.from({ length: 20 }, () => 'note'))
    expect(database.statements('levenshtein') - before).toBe(1)
  })

  it('that finds nothing is not looked up again until something is written', async () => {
    const reader = createTaskReader(database.sql, systemTimer)
    const looked = async () => {
      const before = database.statements('levenshtein')
      await reader.list(userId, { ...EVERYTHING, q: 'xyzzyplugh' })
      return database.statements('levenshtein') - before
    }
    expect([await looked(), await looked()]).toEqual([1, 0])
    await createChangeStore(database.sql).commit(tasksAdded(userId, [{ title: 'new' }]))
    expect(await looked()).toBe(1)
  })

  it('does not wait for more than it is worth: what takes too long has found nothing', async () => {
    await database.sql.begin(async (tx) => {
      await tx`lock table tasks in access exclusive mode`
      expect(await nearWords(database.sql, userId, wantedTerms('ntoe'))).toBeNull()
    })
    expect((await nearWords(database.sql, userId, wantedTerms('ntoe')))?.[0]).toContain('note')
  })

  it('is answered after the searches of fifty others, never with a wrong empty list', async () => {
    const reader = createTaskReader(database.sql, systemTimer)
    const search = (by: string, q: string) => reader.list(by, { ...EVERYTHING, q, limit: 1 })
    const others = Array.from({ length: 50 }, () => search(crypto.randomUUID(), 'ntoe'))
    const { items } = await search(userId, 'ntoe')
    expect(items[0]?.title).toBe('note')
    await Promise.all(others)
  })

  it('is refused where no turn is to be had, and may be made again', async () => {
    const reader = createTaskReader(database.sql, systemTimer)
    const searches = Array.from({ length: 30 }, (_, index) => {
      const q = UNKNOWN.map((word) => `${word}${'abcdef'[index % 6]!.repeat(1 + index)}`).join(' ')
      return reader.list(writer, { ...EVERYTHING, q })
    })
    const ended = await Promise.allSettled(searches)
    const refused = ended.filter((search) => search.status === 'rejected')
    expect(refused).not.toEqual([])
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ code: 'service.unavailable', retryAfterSeconds: 2 })
    }
    const { items } = await reader.list(userId, { ...EVERYTHING, q: 'ntoe', limit: 1 })
    expect(items[0]?.title).toBe('note')
  })
})

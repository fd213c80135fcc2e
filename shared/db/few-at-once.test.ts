import { expect, it } from 'vitest'
import { fewAtOnce } from './few-at-once.ts'

it('runs so many at once and the others in the order in which they came, also after one that fails', async () => {
  const inTurn = fewAtOnce(2)
  const begun: number[] = []
  const works = [0, 1, 2, 3].map((nth) => ({ nth, ...Promise.withResolvers<number>() }))
  const results = works.map(({ nth, promise }) =>
    inTurn(() => {
      begun.push(nth)
      return promise
    }),
  )
  const all = Promise.allSettled(results)
  expect(begun).toEqual([0, 1])
  works[1]!.reject(new Error('this one fails'))
  await expect(results[1]).rejects.toThrow('this one fails')
  expect(begun).toEqual([0, 1, 2])
  for (const { nth, resolve } of works) resolve(nth)
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(begun).toEqual([0, 1, 2, 3])
})

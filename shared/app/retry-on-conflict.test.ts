import { expect, it } from 'vitest'
import { retryOnConflict } from './retry-on-conflict.ts'

it('works again until it does not collide, as often as it may', async () => {
  const attempts: number[] = []
  const until = (last: number) =>
    retryOnConflict(3, async (attempt) => {
      attempts.push(attempt)
      return attempt === last ? 'done' : 'conflict'
    })
  expect([await until(1), await until(3), await until(4)]).toEqual(['done', 'done', 'conflict'])
  expect(attempts).toEqual([1, 1, 2, 3, 1, 2, 3])
})

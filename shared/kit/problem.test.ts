import { expect, it } from 'vitest'
import { testDatabase } from '../../testing/worlds/database.ts'
import { toDomainError } from './problem.ts'

it('a transaction that the database ends for the sake of another may be tried again', async () => {
  const sql = await testDatabase({ max: 2 })
  const bothHoldOne = Promise.withResolvers<void>()
  let holding = 0
  const lockBoth = (first: number, second: number) =>
    sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${first})`
      if (++holding === 2) bothHoldOne.resolve()
      await bothHoldOne.promise
      await tx`select pg_advisory_xact_lock(${second})`
    })
  const outcomes = await Promise.allSettled([lockBoth(1, 2), lockBoth(2, 1)])
  const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(lost.map(({ reason }) => toDomainError(reason))).toMatchObject([
    { code: 'service.unavailable', retryAfterSeconds: 2 },
  ])
})

import { expect, it } from 'vitest'
import { asSidecar } from '../../testing/worlds/compose-daybook.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import { cronFunction } from './cron-function.ts'
import { mountFunctions } from './mount-functions.ts'

const { deps } = await testDaybook()

it('a function that is kept awake runs at start-up, never twice at once, and stops', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let runs = 0
  const fn = cronFunction({
    schedule: '@every 5m',
    uses: [],
    everyMs: 15_000,
    handle: () => {
      runs += 1
      return promise
    },
  })
  fn.name = 'test/some'
  const ticker = fn.startPolling(deps)!
  const tick = async () =>
    mountFunctions([fn], deps).request('/dapr/cron/some-cron', {
      method: 'POST',
      ...asSidecar,
    })
  const ticks = [tick(), tick()]
  await new Promise(setImmediate)
  expect(runs).toBe(1)
  resolve()
  expect((await Promise.all(ticks)).map(({ status }) => status)).toEqual([204, 204])
  await ticker.stop()
  await tick()
  expect(runs).toBe(2)
})

it('a function that asks for nothing else is left to its binding', () => {
  const fn = cronFunction({ schedule: '@every 5m', uses: [], handle: async () => {} })
  expect(fn.startPolling(deps)).toBeNull()
})

import { expect, it } from 'vitest'
import { testDeps } from '../testing/test-deps.ts'
import { cronFunction } from './cron-function.ts'

it('a function that is kept awake runs at start-up, never twice at once, and stops', async () => {
  const deps = testDeps()
  const { promise, resolve } = Promise.withResolvers<void>()
  let runs = 0
  const fn = cronFunction({
    binding: 'some-cron',
    handle: () => {
      runs += 1
      return promise
    },
    whileAwake: { nextAt: async () => null, everyMs: 15_000 },
  })
  const ticker = fn.keepAwake(deps)!
  const tick = async () =>
    fn.createApp(deps).request('/dapr/cron/some-cron', {
      ...{ method: 'POST', headers: { 'dapr-api-token': deps.settings.appToken } },
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
  const fn = cronFunction({ binding: 'some-cron', handle: async () => {} })
  expect(fn.keepAwake(testDeps())).toBeNull()
})

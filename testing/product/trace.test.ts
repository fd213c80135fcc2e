import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { product } from './harness/product.ts'
import { completedDaily, traceIdOf } from './harness/completed-daily.ts'

const { newUser } = await product()

it('a trace that a request brings is that of its event and of what a consumer made of it', async () => {
  const traceId = randomBytes(16).toString('hex')
  const user = await newUser()
  const { cause, effect } = await completedDaily(user, {
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    tracestate: 'shop=t61',
  })
  expect([cause, effect].map(traceIdOf)).toEqual([traceId, traceId])
  expect(effect.traceparent).toMatch(/-01$/)
  expect(effect.traceparent).not.toBe(cause.traceparent)
})

it('a trace that begins with a request goes on in the consumer, and no two requests share one', async () => {
  const user = await newUser()
  const first = await completedDaily(user)
  const second = await completedDaily(user)
  for (const { cause, effect } of [first, second]) expect(traceIdOf(effect)).toBe(traceIdOf(cause))
  expect(traceIdOf(first.cause)).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
  expect(traceIdOf(first.cause)).not.toBe(traceIdOf(second.cause))
})

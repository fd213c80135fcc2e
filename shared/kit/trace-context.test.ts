import { describe, expect, it } from 'vitest'
import { systemIds } from './system.ts'
import { continueTrace } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

describe('a trace', () => {
  it.each(['00', '01'])('goes on with a span of its own and the flags %s of the caller', (flags) => {
    const { traceparent, tracestate } = continueTrace(
      `00-${TRACE}-00f067aa0ba902b7-${flags}`,
      'a=1',
      systemIds,
    )
    expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`))
    expect(traceparent).not.toContain('00f067aa0ba902b7')
    expect(tracestate).toBe('a=1')
  })

  it.each([
    undefined,
    '',
    'x',
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${TRACE}-0000000000000000-01`,
    `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`,
    `01-${TRACE}-00f067aa0ba902b7-01`,
    `00-${TRACE}-00f067aa0ba902b7-01-more`,
  ])('begins anew after %j, and leaves the state of the other behind', (given) => {
    const { traceparent, tracestate } = continueTrace(given, 'a=1', systemIds)
    expect(traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/)
    expect(traceparent).not.toContain(TRACE)
    expect(tracestate).toBeNull()
  })

  it('that begins here is recorded one time in ten', () => {
    let next = 0
    const ids = {
      uuid: () => '',
      hex: (bytes: number) =>
        (next++ % 256)
          .toString(16)
          .padStart(2, '0')
          .padEnd(bytes * 2, '1'),
    }
    const flags = Array.from({ length: 256 * 10 }, () =>
      continueTrace(undefined, undefined, ids).traceparent.slice(-2),
    )
    const share = flags.filter((flag) => flag === '01').length / flags.length
    expect(share).toBeCloseTo(0.1, 1)
  })
})

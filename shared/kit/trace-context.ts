import type { Ids } from '../app/ports.ts'
import type { TraceContext } from '../domain/actor.ts'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/
/** Of 256 traces that begin here: a tenth, as `samplingRate` of the sidecars' configuration, which follow our word. */
const SAMPLED_OF_256 = 26

/**
 * Continues the caller's trace with a span of our own, or begins a trace (W3C Trace Context §3.2). A header that is
 * not valid is treated as absent, as the specification asks.
 */
export function continueTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
  ids: Ids,
): TraceContext {
  const match = TRACEPARENT.exec(traceparent ?? '')
  const span = ids.hex(8)
  if (!match) return { traceparent: beginTrace(ids.hex(16), span), tracestate: null }
  return { traceparent: `00-${match[1]}-${span}-${match[2]}`, tracestate: tracestate?.slice(0, 512) || null }
}

// A sidecar records a trace that comes with the flag set, and none that comes without, whatever its own rate is.
function beginTrace(traceId: string, span: string): string {
  const isSampled = Number.parseInt(traceId.slice(0, 2), 16) < SAMPLED_OF_256
  return `00-${traceId}-${span}-${isSampled ? '01' : '00'}`
}

export const traceIdOf = (trace: TraceContext): string => trace.traceparent.slice(3, 35)

import type { Ids } from '../app/ports.ts'
import type { TraceContext } from '../domain/actor.ts'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

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
  if (!match) return { traceparent: `00-${ids.hex(16)}-${span}-00`, tracestate: null }
  return { traceparent: `00-${match[1]}-${span}-${match[2]}`, tracestate: tracestate?.slice(0, 512) || null }
}

export const traceIdOf = (trace: TraceContext): string => trace.traceparent.slice(3, 35)

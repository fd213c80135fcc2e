import { z } from 'zod'

/** Who caused a change: a person, an agent acting for one, or Daybook itself. */
export const ActorView = z
  .object({
    type: z.enum(['user', 'agent', 'system']),
    id: z.string(),
    on_behalf_of: z.uuid().optional(),
  })
  .meta({ id: 'Actor' })
export type ActorView = z.infer<typeof ActorView>

/** W3C Trace Context of the request that caused a change. */
export interface TraceContext {
  traceparent: string
  tracestate: string | null
}

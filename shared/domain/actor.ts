import { z } from 'zod'

/** What ran when Daybook did something by itself: a consumer of an event, a cron function or the callback of a job. */
export type MadeBy = `${'consumer' | 'cron' | 'job'}/${string}`

export const ActorView = z
  .object({
    type: z.enum(['user', 'agent', 'system']),
    id: z.string(),
    on_behalf_of: z.uuid().optional(),
    made_by: z
      .string()
      .optional()
      .describe('What ran, where nobody asked: consumer, cron or job, and the name of its function'),
    client_ip: z.string().optional().describe('Of a request: the address it came from'),
    user_agent: z
      .string()
      .optional()
      .describe('Of a request: the User-Agent header, at most 256 bytes of it'),
  })
  .meta({ id: 'Actor' })
export type ActorView = z.infer<typeof ActorView>

export interface Client {
  address: string | null
  agent: string | null
}

export const fromClient = (actor: ActorView, { address, agent }: Client): ActorView => ({
  ...actor,
  ...(address !== null && { client_ip: address }),
  ...(agent !== null && { user_agent: agent }),
})

const WithActor = z.looseObject({ actor: z.looseObject({}) })

/** The data of an event without where its request came from; as it is when it does not say. */
export function withoutClient(data: unknown): unknown {
  const { data: said } = WithActor.safeParse(data)
  if (!said) return data
  const { client_ip: _ip, user_agent: _agent, ...actor } = said.actor
  return { ...said, actor }
}

export const systemActor = (id: string, userId?: string): ActorView => ({
  type: 'system',
  id,
  ...(userId !== undefined && { on_behalf_of: userId }),
})

/** W3C Trace Context of the request that caused a change. */
export interface TraceContext {
  traceparent: string
  tracestate: string | null
}

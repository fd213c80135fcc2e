import { z } from 'zod'
import { parseGoDuration } from './durations.ts'

const GoDuration = z.union([z.string(), z.number()]).transform((value, context) => {
  // Dapr reads a bare number as milliseconds.
  const ms = /^\d+$/.test(String(value)) ? Number(value) : parseGoDuration(String(value))
  if (ms === null) {
    context.addIssue({ code: 'custom', message: `not a duration: ${value}` })
    return z.NEVER
  }
  return ms
})

const RetryPolicy = z.strictObject({
  policy: z.enum(['constant', 'exponential']).default('constant'),
  duration: GoDuration.default(5000),
  maxInterval: GoDuration.default(60_000),
  maxRetries: z.number().int().default(-1),
  /** For invocations of real daprd. Deliveries have no status to match, so the embedded sidecar refuses it there. */
  matching: z.unknown().optional(),
})
type RetryPolicy = z.infer<typeof RetryPolicy>

const PolicyNames = z.object({
  timeout: z.string().optional(),
  retry: z.string().optional(),
  circuitBreaker: z.string().optional(),
})

const Document = z.object({
  spec: z.object({
    policies: z
      .object({
        timeouts: z.record(z.string(), GoDuration).default({}),
        retries: z.record(z.string(), RetryPolicy).default({}),
        circuitBreakers: z.record(z.string(), z.unknown()).default({}),
      })
      .prefault({}),
    targets: z
      .object({
        apps: z.record(z.string(), PolicyNames).default({}),
        components: z
          .record(
            z.string(),
            z.object({ inbound: PolicyNames.prefault({}), outbound: PolicyNames.prefault({}) }),
          )
          .default({}),
      })
      .prefault({}),
  }),
})

/** How deliveries from a component to the app are tried: `retry` null means once, `timeoutMs` null means no limit. */
interface InboundPolicy {
  readonly timeoutMs: number | null
  readonly retry: RetryPolicy | null
}

export interface Resiliency {
  inbound(component: string): InboundPolicy
}

/** Parses Resiliency resources. Throws on a policy name that is not declared: daprd ignores it, or panics. */
export function parseResiliency(documents: readonly unknown[]): Resiliency {
  const inbound = new Map<string, InboundPolicy>()
  for (const document of documents) {
    const { policies, targets } = Document.parse(document).spec
    const check = (target: string, names: z.infer<typeof PolicyNames>) => {
      const declared = {
        timeout: policies.timeouts,
        retry: policies.retries,
        circuitBreaker: policies.circuitBreakers,
      }
      for (const [kind, known] of Object.entries(declared)) {
        const name = names[kind as keyof typeof declared]
        if (name !== undefined && !(name in known))
          throw new Error(`resiliency: ${target} names an undeclared ${kind} ${name}`)
      }
    }
    for (const [name, app] of Object.entries(targets.apps)) check(`app ${name}`, app)
    for (const [name, component] of Object.entries(targets.components)) {
      check(`component ${name} outbound`, component.outbound)
      check(`component ${name} inbound`, component.inbound)
      // Dapr shares one breaker between both directions: failing consumers would stop publishing.
      if (component.inbound.circuitBreaker)
        throw new Error(`resiliency: ${name} has an inbound circuit breaker`)
      const { timeout, retry } = component.inbound
      if (retry !== undefined && policies.retries[retry]?.matching !== undefined)
        throw new Error(`resiliency: ${name} has an inbound retry ${retry} with matching`)
      inbound.set(name, {
        timeoutMs: timeout === undefined ? null : (policies.timeouts[timeout] ?? null),
        retry: retry === undefined ? null : (policies.retries[retry] ?? null),
      })
    }
  }
  return { inbound: (component) => inbound.get(component) ?? { timeoutMs: null, retry: null } }
}

const INITIAL_MS = 500
const MULTIPLIER = 1.5
const SPREAD = 0.5

/**
 * Milliseconds to wait before the next try after `failures` failed ones (≥ 1), or null when they are used up. An
 * exponential policy starts at 500 ms, grows by 1.5 and is spread by ±50 %, as in dapr/kit retry; `random` is in [0, 1).
 */
export function retryDelay(policy: RetryPolicy | null, failures: number, random: number): number | null {
  if (!policy || (policy.maxRetries >= 0 && failures > policy.maxRetries)) return null
  if (policy.policy === 'constant') return policy.duration
  const interval = Math.min(INITIAL_MS * MULTIPLIER ** (failures - 1), policy.maxInterval)
  return Math.round(interval * (1 - SPREAD + 2 * SPREAD * random))
}

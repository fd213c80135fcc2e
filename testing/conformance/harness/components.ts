import { inject } from 'vitest'
import type { SocketTarget } from '../../../shared/db/connect.ts'
import { currentProfile } from './profile.ts'

/** One Dapr component as YAML; values are texts, as Dapr wants them. */
export function component(
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>> = {},
  { version = 'v1', scopes = [] }: { version?: string; scopes?: readonly string[] } = {},
): string {
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name },
    spec: { type, version, metadata: Object.entries(metadata).map(([key, value]) => ({ name: key, value })) },
    scopes,
  })
}

/** The pub/sub component of the profile, with the settings of dapr/components/; `redis` is said only where it is Redis. */
export function pubsubComponent(
  name: string,
  { group, redis }: { group?: string; redis?: Readonly<Record<string, string>> } = {},
): string {
  const { pubsub, isEmbedded } = currentProfile()
  if (pubsub === 'redis') {
    // Each subscription holds a connection, of which there are by default ten for each processor.
    const settings = { redisHost: inject('services').redis, poolSize: '100', ...redis }
    return component(name, 'pubsub.redis', { ...settings, ...(group && { consumerID: group }) })
  }
  return component(name, 'pubsub.kafka', {
    brokers: isEmbedded ? 'none' : inject('services').brokers,
    authType: 'none',
    initialOffset: 'oldest',
    version: '3.6.0',
    ...(group && { consumerGroup: group }),
  })
}

/** The state store of the profile. */
export function stateComponent(database: SocketTarget | null): string {
  const name = 'statestore'
  if (currentProfile().state === 'redis') {
    return component(name, 'state.redis', { redisHost: inject('services').redis })
  }
  const connectionString = database
    ? `host=${database.host} port=${database.port} user=${database.user} dbname=${database.database}`
    : 'none'
  return component(name, 'state.postgresql', { connectionString, tablePrefix: 'dapr_' }, { version: 'v2' })
}

interface InboundPolicy {
  readonly policy: 'constant' | 'exponential'
  readonly duration: string
  readonly maxRetries?: number
  /** Of one try. */
  readonly timeout?: string
}

/** A Resiliency with an inbound policy for each pub/sub component. */
export function inboundRetries(policies: Readonly<Record<string, InboundPolicy>>): string {
  const timeouts: Record<string, string> = {}
  const retries: Record<string, object> = {}
  const components: Record<string, object> = {}
  for (const [name, { timeout, ...retry }] of Object.entries(policies)) {
    if (timeout !== undefined) timeouts[name] = timeout
    retries[name] = retry
    components[name] = { inbound: { retry: name, ...(timeout !== undefined && { timeout: name }) } }
  }
  return JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Resiliency',
    metadata: { name: 'deliveries' },
    spec: { policies: { timeouts, retries }, targets: { components } },
  })
}

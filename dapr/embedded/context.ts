import type { Sql } from '../../shared/db/connect.ts'
import type { Logger } from '../../shared/observability/logger.ts'
import type { AppChannel } from './app-channel.ts'
import type { Broker } from './pubsub/broker.ts'
import type { Component, Environment, Resources } from './resources.ts'

/** Rejects when the signal aborts. Tests pass one that follows their clock. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>

/** What the building blocks of one sidecar share. */
export interface SidecarContext {
  readonly appId: string
  readonly sql: Sql
  readonly broker: Broker
  readonly app: AppChannel
  readonly resources: Resources
  readonly components: readonly Component[]
  readonly env: Environment
  readonly dataDir: string
  readonly clock: { now(): Date }
  readonly delay: Delay
  readonly newId: () => string
  readonly random: () => number
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly logger: Logger
  /** True while an outage is simulated: nothing new is delivered. */
  readonly isPaused: () => boolean
}

export function findComponent(context: SidecarContext, name: string, prefix: string): Component | undefined {
  return context.components.find((component) => component.name === name && component.type.startsWith(prefix))
}

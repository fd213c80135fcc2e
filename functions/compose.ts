import { ownNextOccurrences } from '../shared/app/create-next-occurrence.ts'
import type { Deps } from '../shared/app/ports.ts'
import { createPublisher, type Publisher } from '../shared/app/publisher.ts'
import { createPushKeys } from '../shared/channels/push-keys.ts'
import { createSafeFetch } from '../shared/channels/safe-fetch.ts'
import { createSenders } from '../shared/channels/senders.ts'
import type { Config } from '../shared/config.ts'
import { createAlarms } from '../shared/dapr/alarms.ts'
import { createBroker } from '../shared/dapr/broker.ts'
import { createDaprClient } from '../shared/dapr/client.ts'
import { invokedNextOccurrences } from '../shared/dapr/next-occurrences.ts'
import { createOtherUnits } from '../shared/dapr/other-units.ts'
import type { Fetch } from '../shared/dapr/transport.ts'
import { createChangeStore } from '../shared/db/change-store.ts'
import type { Sql } from '../shared/db/connect.ts'
import { createDeadLetters } from '../shared/db/dead-letters.ts'
import { createDeliveryQueue } from '../shared/db/delivery-queue.ts'
import { createIdentityStore } from '../shared/db/identity-store.ts'
import { createHousekeeping, createPing, createSeriesSweep } from '../shared/db/maintenance.ts'
import { createNotificationFeed } from '../shared/db/notification-feed.ts'
import { createNotificationReader } from '../shared/db/notification-reader.ts'
import { createChangeFeed, createOutbox } from '../shared/db/outbox.ts'
import { createPreferenceStore } from '../shared/db/preference-store.ts'
import { createPushKeyStore } from '../shared/db/push-key-store.ts'
import { createReminderQueue } from '../shared/db/reminder-queue.ts'
import { createReminderReader } from '../shared/db/reminder-reader.ts'
import { createSubscriptionStore } from '../shared/db/subscription-store.ts'
import { createTaskReader } from '../shared/db/task-reader.ts'
import { proxyList } from '../shared/kit/client.ts'
import { createIdentity } from '../shared/kit/create-identity.ts'
import { createEventStreams } from '../shared/kit/event-streams.ts'
import { PUBSUB } from '../shared/kit/subscriptions.ts'
import { systemClock, systemIds, systemTimer } from '../shared/kit/system.ts'
import type { Logger } from '../shared/observability/logger.ts'

/** Deadline of one call to the sidecar. */
const SIDECAR_TIMEOUT_MS = 5000

/** What a process brings along. */
export interface Outside {
  sql: Sql
  log: Logger
  /** How the sidecar is reached: the global fetch, or straight into an embedded one. */
  sidecarFetch: Fetch
  /** Secret the sidecar shows on callbacks. */
  appToken: string
}

/** Joins the ports with their adapters, once per process; the only place that knows both. */
export function composeDeps(config: Config, { sql, log, sidecarFetch, appToken }: Outside): ComposedDeps {
  const clock = systemClock
  const ids = systemIds
  const dapr = createDaprClient({
    ...{ baseUrl: config.dapr.baseUrl, fetch: sidecarFetch, timeoutMs: SIDECAR_TIMEOUT_MS },
    ...(config.dapr.apiToken !== undefined && { token: config.dapr.apiToken }),
  })
  const broker = createBroker(dapr, PUBSUB, log)
  const outbox = createOutbox(sql)
  const publishing = createPublisher({ outbox, broker, log, clock })
  const changes = createChangeStore(sql)
  const outbound = createSafeFetch({ allow: config.outboundAllow })
  const pushKeys = createPushKeys({
    ...{ from: config.push.vapidKeys, store: createPushKeyStore(sql), secrets: dapr.secrets, clock },
  })
  const settings = {
    ...{ appToken, issuer: config.publicUrl ?? 'urn:daybook', audience: 'daybook' },
    hasMobilePush: config.push.fcmProject !== undefined,
    isTrustedProxy: proxyList(config.trustedProxies),
  }
  const { identity, authenticate, prepare } = createIdentity({
    ...{ store: createIdentityStore(sql), clock, ids, issuer: settings.issuer, audience: settings.audience },
    ...{ oidc: config.oidc, fetch, onNewcomer: publishing.wake },
  })
  return {
    ...{ clock, startTimer: systemTimer, ids, log, changes, outbox, broker, publishing },
    identity,
    authenticate,
    prepare,
    tasks: createTaskReader(sql),
    feed: createChangeFeed(sql),
    sweep: createSeriesSweep(sql),
    housekeeping: createHousekeeping(sql),
    sidecar: dapr.health,
    units: createOtherUnits(dapr, { clock }),
    nextOccurrences:
      config.recurrenceCreatesVia === 'invoke'
        ? invokedNextOccurrences(dapr)
        : ownNextOccurrences({ changes, clock, ids, publishing }),
    reminders: createReminderReader(sql),
    dueReminders: createReminderQueue(sql),
    alarms: createAlarms(dapr),
    notifications: createNotificationReader(sql),
    notificationFeed: createNotificationFeed(sql),
    streams: createEventStreams({ clock, ids, log }),
    deliveries: createDeliveryQueue(sql),
    senders: createSenders({
      ...{ dapr, outbound, pushKeys, clock },
      settings: {
        mailFrom: config.mail.from,
        publicUrl: config.publicUrl,
        fcmProject: config.push.fcmProject,
      },
    }),
    preferences: createPreferenceStore(sql),
    subscriptions: createSubscriptionStore(sql),
    ...{ outbound, pushKeys },
    deadLetters: createDeadLetters(sql),
    database: createPing(sql),
    settings,
  }
}

export type ComposedDeps = Deps & {
  publishing: Publisher
  /** Makes or loads the signing keys; rejects when the database is away. */
  prepare: () => Promise<void>
}

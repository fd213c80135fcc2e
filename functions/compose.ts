import type { Clock, Deps, Ids, Log, StartTimer } from '../shared/app/ports.ts'
import { createPublisher, type Publisher } from '../shared/app/outbox/publisher.ts'
import { createPushKeys } from '../shared/channels/push-keys.ts'
import { createClientDocuments } from '../shared/channels/client-documents.ts'
import { createSafeFetch } from '../shared/channels/safe-fetch.ts'
import { NO_PUSH_CONTACT, pushContact } from '../shared/channels/push-contact.ts'
import { createSenders } from '../shared/channels/senders.ts'
import type { Config } from '../shared/config.ts'
import { createAlarms } from '../shared/dapr/alarms.ts'
import { createBroker } from '../shared/dapr/broker.ts'
import { createDaprClient } from '../shared/dapr/client.ts'
import { createUpstreams } from '../shared/dapr/other-units.ts'
import type { Fetch } from '../shared/dapr/transport.ts'
import { createChangeStore } from '../shared/db/changes/change-store.ts'
import type { Sql } from '../shared/db/connect.ts'
import { createCheckpointFolder } from '../shared/channels/checkpoint-folder.ts'
import { createAuditTree } from '../shared/db/audit/audit-tree.ts'
import { createCheckpointKeyStore } from '../shared/db/audit/checkpoint-key-store.ts'
import { createCheckpointKeys } from '../shared/identity/checkpoint-keys.ts'
import { createAuditTrail } from '../shared/db/audit/audit-trail.ts'
import { createDeadLetters } from '../shared/db/outbox/dead-letters.ts'
import { createDeliveryQueue } from '../shared/db/notifications/delivery-queue.ts'
import { createAccounts } from '../shared/db/auth/accounts.ts'
import { createIdentityStore } from '../shared/db/auth/identity-store.ts'
import { createSessionSignal } from '../shared/db/auth/session-signal.ts'
import { createHousekeeping, createPing, createWaitingSeriesReader } from '../shared/db/maintenance.ts'
import { createNotificationReader } from '../shared/db/notifications/notification-reader.ts'
import { createOutbox } from '../shared/db/outbox/outbox.ts'
import { createPreferenceStore } from '../shared/db/notifications/preference-store.ts'
import { createPushKeyStore } from '../shared/db/notifications/push-key-store.ts'
import { createReminderQueue } from '../shared/db/reminders/reminder-queue.ts'
import { createReminderReader } from '../shared/db/reminders/reminder-reader.ts'
import { createAnnouncer } from '../shared/db/sync/announce-changes.ts'
import { createChangeLog } from '../shared/db/sync/change-log.ts'
import { createChangeSignal } from '../shared/db/sync/change-signal.ts'
import { createSnapshots } from '../shared/db/sync/snapshots.ts'
import { createSubscriptionStore } from '../shared/db/notifications/subscription-store.ts'
import { createSuggestionReader } from '../shared/db/suggestions/suggestion-reader.ts'
import { createTaskReader } from '../shared/db/tasks/task-reader.ts'
import { createZoneStore } from '../shared/db/tasks/zone-store.ts'
import { proxyList } from '../shared/kit/edge/client-address.ts'
import { createIdentity } from '../shared/identity/create-identity.ts'
import type { ScryptCost } from '../shared/identity/passwords.ts'
import { createLiveConnections } from '../shared/streams/live-connections.ts'
import { PUBSUB } from '../shared/kit/subscriptions.ts'
import { systemClock, systemIds, systemTimer, zoneDatabase } from '../shared/kit/system.ts'

/** Deadline of one call to the sidecar. */
const SIDECAR_TIMEOUT_MS = 5000

/** How many users it takes to fill the pool: one who asks for a lot leaves three quarters to the others. */
const POOL_SHARES = 4

/** What a process brings along: time, chance, its database, and the ways out of it. */
export interface ProcessResources {
  clock: Clock
  ids: Ids
  startTimer: StartTimer
  log: Log
  sql: Sql
  /** How the sidecar is reached: the global fetch, or straight into an embedded one. */
  sidecarFetch: Fetch
  /** Secret the sidecar shows on callbacks. */
  appToken: string
  /** Where clients reach this process, once it listens; PUBLIC_URL goes before it. */
  ownUrl?: () => string | undefined
  createBroker: typeof createBroker
  createPublisher: typeof createPublisher
  /** Tells other processes whose changes were committed. */
  createAnnouncer: typeof createAnnouncer
  /** Mail, pushes and webhooks. */
  createSenders: typeof createSenders
  /** Of hashing passwords; the usual one unless a test is in a hurry. */
  scryptCost?: ScryptCost
}

/** What every process takes that is no test. */
export const SYSTEM_RESOURCES = {
  clock: systemClock,
  ids: systemIds,
  startTimer: systemTimer,
  createBroker,
  createPublisher,
  createAnnouncer,
  createSenders,
} satisfies Partial<ProcessResources>

/** Joins the ports with their adapters, once per process; the only place that knows both. */
export function composeDeps(config: Config, resources: ProcessResources): ComposedDeps {
  const { clock, ids, startTimer, log, sql, sidecarFetch, appToken, ownUrl } = resources
  const dapr = createDaprClient({
    baseUrl: config.dapr.baseUrl,
    fetch: sidecarFetch,
    timeoutMs: SIDECAR_TIMEOUT_MS,
    ...(config.dapr.apiToken !== undefined && { token: config.dapr.apiToken }),
  })
  const broker = resources.createBroker(dapr, PUBSUB, log)
  const outbox = createOutbox(sql)
  const publishing = resources.createPublisher({ outbox, broker, log, clock }, startTimer)
  const changes = createChangeStore(sql, resources.createAnnouncer(sql, startTimer))
  const outbound = createSafeFetch({ allow: config.outboundAllow })
  const pushKeys = createPushKeys({
    from: config.push.vapidKeys,
    store: createPushKeyStore(sql),
    secrets: dapr.secrets,
    clock,
  })
  const checkpointKeys = createCheckpointKeys({
    from: config.audit.keyFrom,
    origin: `${new URL(config.publicUrl ?? 'http://localhost').host}/audit`,
    store: createCheckpointKeyStore(sql),
    secrets: dapr.secrets,
    clock,
    ids,
  })
  const settings = {
    appToken,
    issuer: config.publicUrl ?? 'urn:daybook',
    audience: 'daybook',
    quotas: config.quotas,
    registration: config.registration,
    maxMailsPerHour: config.mail.maxPerHour,
    maxFirstMessagesPerHost: config.namedHosts.maxFirstMessages,
    maxDeliveriesPerHost: config.namedHosts.maxDeliveries,
    disabledChannels: {
      ...(pushContact({ publicUrl: config.publicUrl, mailFrom: config.mail.from }) === null && {
        web_push: NO_PUSH_CONTACT,
      }),
      ...(config.push.fcmProject === undefined && {
        mobile_push: 'mobile push is not configured: set FCM_PROJECT',
      }),
    },
    isTrustedProxy: proxyList(config.trustedProxies),
    rateLimit: config.rateLimit,
    auditDays: config.audit.days,
    logRequests: config.logRequests,
    keepEventsDays: config.keepEventsDays,
    corsOrigins: config.corsOrigins,
    zoneDatabase,
    granularity: config.granularity,
    addressKey: ids.hex(16),
    maxWeightOfUser: Math.max(2, Math.floor(config.database.pool / POOL_SHARES)),
  }
  const { identity, authenticate, prepare } = createIdentity({
    store: createIdentityStore(sql),
    signal: createSessionSignal(sql),
    clock,
    startTimer,
    ids,
    issuer: settings.issuer,
    audience: settings.audience,
    oidc: config.oidc,
    fetch,
    onNewcomer: publishing.wake,
    ...(resources.scryptCost && { scryptCost: resources.scryptCost }),
  })
  return {
    clock,
    startTimer,
    ids,
    log,
    changes,
    outbox,
    broker,
    publishing,
    identity,
    authenticate,
    prepare,
    tasks: createTaskReader(sql, startTimer),
    suggestions: createSuggestionReader(sql),
    changeLog: createChangeLog(sql),
    changeSignal: createChangeSignal(sql, startTimer),
    snapshots: createSnapshots(sql, startTimer),
    waitingSeries: createWaitingSeriesReader(sql),
    housekeeping: createHousekeeping(sql),
    accounts: createAccounts(sql),
    auditTrail: createAuditTrail(sql),
    clientDocuments: createClientDocuments(outbound, clock),
    auditTree: createAuditTree(sql),
    checkpointKeys,
    checkpointCopies: createCheckpointFolder(config.audit.checkpoints),
    zones: createZoneStore(sql),
    sidecar: dapr.health,
    upstreams: createUpstreams(dapr, { clock, startTimer }),
    reminders: createReminderReader(sql),
    dueReminders: createReminderQueue(sql),
    alarms: createAlarms(dapr),
    notifications: createNotificationReader(sql),
    streams: createLiveConnections({ clock, ids, log, startTimer, sessions: identity.sessions }),
    deliveries: createDeliveryQueue(sql),
    senders: resources.createSenders({
      dapr,
      outbound,
      pushKeys,
      clock,
      links: identity.links,
      settings: {
        mailFrom: config.mail.from,
        publicUrl: () => config.publicUrl ?? ownUrl?.(),
        fcmProject: config.push.fcmProject,
      },
    }),
    preferences: createPreferenceStore(sql),
    subscriptions: createSubscriptionStore(sql),
    outbound,
    pushKeys,
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

import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import type { Sql } from '../../shared/db/connect.ts'
import type { Logger } from '../../shared/observability/logger.ts'
import { bindingRoutes } from './bindings.ts'
import { createAppChannel, discardBody } from './app-channel.ts'
import { createBroker } from './pubsub/broker.ts'
import type { Delay, SidecarContext } from './context.ts'
import { conversationRoutes } from './conversation.ts'
import { createCronBindings } from './jobs/cron-bindings.ts'
import { ApiError, apiError, messageOf } from './errors.ts'
import { healthRoutes } from './health.ts'
import { createHousekeeping } from './housekeeping.ts'
import { invokeRoutes, type App } from './invoke.ts'
import { createJobRunner } from './jobs/job-runner.ts'
import { jobRoutes } from './jobs/jobs.ts'
import { metadataRoutes } from './metadata.ts'
import { publishRoutes } from './pubsub/publish.ts'
import { createDeliveries } from './pubsub/pubsub.ts'
import { componentsOf, type Environment, type Resources } from './resources.ts'
import { ensureSchema } from './schema.ts'
import { secretRoutes } from './secrets.ts'
import { stateRoutes } from './state/state.ts'

export interface SidecarOptions {
  readonly appId: string
  readonly sql: Sql
  readonly resources: Resources
  /** The app channel: how the sidecar calls its app. */
  readonly app: App
  readonly clock: { now(): Date }
  /** For outgoing HTTP bindings. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly env: Environment
  /** Where the secrets file is. */
  readonly dataDir: string
  readonly logger: Logger
  /** Callers must send it as `dapr-api-token` (DAPR_API_TOKEN). */
  readonly apiToken?: string
  /** The sidecar sends it to the app as `dapr-api-token` (APP_API_TOKEN). */
  readonly appToken?: string
  /** Other apps that can be invoked, by app-id. */
  readonly apps?: ReadonlyMap<string, App>
  readonly delay?: Delay
}

/** One sidecar for one app, as one daprd. Sidecars on the same database share its topics, state and jobs. */
export interface Sidecar {
  fetch(request: Request): Promise<Response>
  /** Asks the app what it wants, then delivers messages, jobs and cron ticks. The app must be able to answer. */
  start(): Promise<void>
  /** Ends what is under way and starts nothing new. */
  stop(): Promise<void>
  /** For tests: resolves when all that is due is done. */
  idle(): Promise<void>
  /** An outage: calls reject as those to a process that is gone, and nothing is delivered. */
  pause(): void
  resume(): void
}

/** Rejects with the signal's own reason, which may be an error made once for all. */
const pause: Delay = (ms, signal) =>
  new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what the caller gave
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end)
      resolve()
    }, ms)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })

export function createSidecar(options: SidecarOptions): Sidecar {
  const { appId, sql } = options
  let isPaused = false
  let isReady = false
  let isPrepared = false
  let preparing: Promise<void> | null = null

  const context: SidecarContext = {
    appId,
    sql,
    broker: createBroker(sql),
    app: createAppChannel(options.app, options.appToken),
    resources: options.resources,
    components: componentsOf(options.resources, appId),
    env: options.env,
    dataDir: options.dataDir,
    clock: options.clock,
    delay: options.delay ?? pause,
    newId: randomUUID,
    random: Math.random,
    fetch: options.fetch,
    logger: options.logger.child({ sidecar: appId }),
    isPaused: () => isPaused,
  }
  const deliveries = createDeliveries(context)
  const jobs = createJobRunner(context)
  const cron = createCronBindings(context)
  const housekeeping = createHousekeeping(context)

  function prepare(): Promise<void> {
    preparing ??= ensureSchema(sql).then(
      () => void (isPrepared = true),
      (error: unknown) => {
        preparing = null
        throw error
      },
    )
    return preparing
  }

  const api = new Hono()
  api.route('/', healthRoutes({ appId, isReady: () => isReady, isOutboundReady: () => isPrepared }))
  api.use(async (c, next) => {
    if (options.apiToken !== undefined && c.req.header('dapr-api-token') !== options.apiToken) {
      return c.text('invalid api token\n', 401)
    }
    await prepare()
    return await next()
  })
  api.route('/', publishRoutes(context))
  api.route('/', jobRoutes(context))
  api.route('/', stateRoutes(context))
  api.route('/', bindingRoutes(context))
  api.route('/', secretRoutes(context))
  api.route('/', conversationRoutes(context))
  api.route(
    '/',
    invokeRoutes(context, {
      apps: options.apps ?? new Map(),
      ownApp: options.app,
      appToken: options.appToken,
    }),
  )
  api.route(
    '/',
    metadataRoutes(context, () => deliveries.subscriptions),
  )
  api.notFound(() => {
    // Dapr takes every path it does not know for an invocation.
    throw apiError(
      404,
      'ERR_DIRECT_INVOKE',
      'failed getting app id either from the URL path or the header dapr-app-id',
    )
  })
  api.onError((error, c) => {
    if (error instanceof ApiError) return c.json(error.body, error.status as 500)
    context.logger.error({ path: c.req.path, err: error }, 'failed to answer call')
    return c.json({ errorCode: 'ERROR', message: messageOf(error) }, 500)
  })

  return {
    async fetch(request) {
      if (isPaused) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED (paused)') })
      return await api.fetch(request)
    },
    async start() {
      await prepare()
      await discardBody(await context.app.call({ method: 'GET', path: '/dapr/config' }))
      await deliveries.start()
      jobs.start()
      await cron.start()
      housekeeping.start()
      isReady = true
    },
    async stop() {
      isReady = false
      await Promise.all([deliveries.stop(), jobs.stop(), cron.stop(), housekeeping.stop()])
    },
    async idle() {
      await Promise.all([deliveries.idle(), jobs.idle(), cron.idle()])
    },
    pause() {
      isPaused = true
    },
    resume() {
      isPaused = false
      deliveries.wake()
      jobs.wake()
    },
  }
}

import type { Hono } from 'hono'
import type { Config } from '../shared/config.ts'
import type { AppEnv } from '../shared/kit/base-app.ts'
import { proxyList, THIS_MACHINE } from '../shared/kit/edge/client-address.ts'
import { mountFunctions, type DaybookFunction } from '../shared/kit/mount-functions.ts'
import { leavesEvents } from '../shared/kit/leaves-events.ts'
import { createRefusalLog } from '../shared/kit/edge/refusal-log.ts'
import { serve, type RunningServer } from '../shared/kit/edge/serve.ts'
import { exitOnSignal } from '../shared/kit/process.ts'
import { isEverywhere } from '../shared/kit/units.ts'
import { composeDeps, SYSTEM_RESOURCES, type ComposedDeps, type ProcessResources } from './compose.ts'
import type { OpenedUnit } from './start-unit.ts'

/** Requests that are still running get this long at shutdown. */
const GRACE_MS = 10_000

export interface Daybook {
  app: Hono<AppEnv>
  server: RunningServer
  /** Ends live streams, stops accepting, finishes requests, publishes what they left, in this order. The pool stays open. */
  close(): Promise<void>
}

/** Serves the functions on the configured address, after what `extend` does. */
export async function runFunctions(
  config: Config,
  resources: ProcessResources,
  functions: readonly DaybookFunction[],
  extend?: (app: Hono<AppEnv>, deps: ComposedDeps) => Promise<void>,
): Promise<Daybook> {
  const deps = composeDeps(config, resources)
  const app = mountFunctions(functions, deps)
  await extend?.(app, deps)
  await deps.prepare()
  const noteRefusal = createRefusalLog(deps)
  const server = await serve(app.fetch, config.http, {
    ...config.connections,
    isExempt: proxyList([...THIS_MACHINE, ...config.trustedProxies]),
    onRefused: (reason, address) => noteRefusal('refused connection', reason, address),
  })
  const { web_push: noWebPush } = deps.settings.disabledChannels
  if (noWebPush !== undefined && functions.some(({ name }) => name === 'notifications/sweep-deliveries'))
    deps.log.info({}, `started without web push: ${noWebPush}`)
  // Not every unit may: scripts/render/platform.ts gives the broker to those that leave events.
  if (functions.some(leavesEvents)) deps.publishing.wake()
  const tickers = functions.map((fn) => (fn.kind === 'cron' ? fn.startPolling(deps) : null))
  return {
    app,
    server,
    close: async () => {
      deps.streams.endAll()
      await Promise.all([server.close(GRACE_MS), ...tickers.map((ticker) => ticker?.stop())])
      deps.identity.sessions.stop()
      await deps.publishing.stop()
    },
  }
}

/** Serves the functions of a unit until a signal ends it. */
export async function serveUnit(unit: OpenedUnit, functions: readonly DaybookFunction[]): Promise<void> {
  const { config, log, sql, appToken } = unit
  if (config.publicUrl === undefined) log.warn({}, 'started without PUBLIC_URL; mails have no links')
  const resources = { ...SYSTEM_RESOURCES, sql, log, sidecarFetch: fetch, appToken }
  const daybook = await runFunctions(config, resources, functions)
  log.info({ port: daybook.server.port, functions: functions.map(({ name }) => name) }, 'serving')
  exitOnSignal(async () => {
    await daybook.close()
    await sql.end({ timeout: 5 })
  })
}

/** The named ones and those that every unit answers; all where none is named. */
export function chosen(
  functions: readonly (readonly [name: string, fn: DaybookFunction])[],
  names: readonly string[],
): DaybookFunction[] {
  const unknown = names.filter((name) => !functions.some(([known]) => known === name))
  if (unknown.length > 0) throw new Error(`This unit has no function ${unknown.join(', ')}.`)
  return functions
    .map(([name, fn]) => Object.assign(fn, { name }))
    .filter((fn) => names.length === 0 || names.includes(fn.name) || isEverywhere(fn))
}

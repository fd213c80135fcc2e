import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { unitEnvironment } from '../../shared/config.ts'
import { EDGE, type Unit } from '../../shared/kit/units.ts'
import { startDaprd, type Daprd, type DaprdPorts } from '../../tools/dapr/daprd.ts'
import { removePidFile, writePidFile } from '../../tools/pid-file.ts'
import { startProgram, type Program } from '../../tools/program.ts'
import { pidFolderOf } from './claim.ts'
import { sidecarEnvironment } from './sidecar-environment.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const READY_LIMIT_MS = 30_000
const READY_PAUSE_MS = 200
const ANSWER_LIMIT_MS = 5000
/**
 * Dapr takes an app for dead after three failed probes, scattered ones too, so they come often and have time: a death is
 * seen within about six seconds, and a busy app is not taken for one. The path asks nobody: a database that is away is no
 * death of the app.
 */
export const HEALTH_CHECK = { path: '/livez', probeIntervalSeconds: 2, probeTimeoutMs: 1500, threshold: 3 }

/**
 * Of a request, its target and headers. Node reads 16 KiB of them and daprd 4 unless it is told otherwise; what the gateway
 * has taken must not end in a 502 at its sidecar, which adds some of its own.
 */
export const MAX_HEAD_SIZE = '32Ki'

/** What the units of one Daybook share. */
export interface UnitContext {
  dataDir: string
  /** Where all sidecars say where they are. */
  namesFile: string
  databaseUrl: string
  pool: number
  /** What passes between a unit and its sidecar, and is known to these two. */
  tokensOf(unitId: string): UnitTokens
  schedulerAddress: string
  resourcesDir: string
  /** Of Dapr's settings for each sidecar: `<unit>.yaml`. */
  configurationDir: string
  /** Of what apps and components read besides, each gets its own: brokers, secrets, settings of the product. */
  environment: Record<string, string | undefined>
  logLevel: string
  /** Where the gateway listens; every other unit on 127.0.0.1 only. */
  gatewayHost: string
}

export interface UnitTokens {
  /** What the sidecar asks of its callers (`dapr-api-token`). */
  api: string
  /** What the sidecar shows to its app. */
  app: string
}

export interface UnitPorts extends DaprdPorts {
  app: number
}

/** The Node process of a unit, ready when it answers. */
export async function startApp(unit: Unit, ports: UnitPorts, context: UnitContext): Promise<Program> {
  const pidFile = pidFileOf(context.dataDir, unit.id)
  const tokens = context.tokensOf(unit.id)
  const program = await startProgram({
    name: unit.id,
    command: process.execPath,
    args: ['functions/main.ts', ...unit.functions],
    whenMissing: 'Node is gone.',
    cwd: ROOT,
    env: {
      ...unitEnvironment(context.environment),
      PORT: String(ports.app),
      HOST: unit.id === EDGE ? context.gatewayHost : '127.0.0.1',
      DATABASE_URL: context.databaseUrl,
      DATABASE_POOL: String(context.pool),
      DAPR_HTTP_PORT: String(ports.http),
      DAPR_API_TOKEN: tokens.api,
      APP_API_TOKEN: tokens.app,
      LOG_LEVEL: context.logLevel,
    },
    logFile: join(context.dataDir, 'logs', `${unit.id}.log`),
    ports: [ports.app],
    isReady: async () => (await fetch(`http://127.0.0.1:${ports.app}${HEALTH_CHECK.path}`)).ok,
    onSpawn: (pid) => writePidFile(pidFile, pid),
  })
  void program.exited.then(() => removePidFile(pidFile))
  return program
}

/** The sidecar of a unit, ready when its components are. */
export async function startSidecar(unit: Unit, ports: UnitPorts, context: UnitContext): Promise<Daprd> {
  const pidFile = pidFileOf(context.dataDir, sidecarOf(unit.id))
  const { app, ...own } = ports
  const tokens = context.tokensOf(unit.id)
  const daprd = await startDaprd({
    appId: unit.id,
    appPort: app,
    appHealthCheck: HEALTH_CHECK,
    resourcesPaths: [context.resourcesDir],
    configFiles: [join(context.configurationDir, `${unit.id}.yaml`)],
    schedulerAddress: context.schedulerAddress,
    ports: own,
    env: {
      ...(await sidecarEnvironment(unit.id, context)),
      DAYBOOK_NAME_RESOLUTION: context.namesFile,
      DAPR_API_TOKEN: tokens.api,
      APP_API_TOKEN: tokens.app,
    },
    logFile: join(context.dataDir, 'logs', `${sidecarOf(unit.id)}.log`),
    logLevel: 'info',
    flags: [`--read-buffer-size=${MAX_HEAD_SIZE}`],
  })
  writePidFile(pidFile, daprd.pid)
  void daprd.exited.then(() => removePidFile(pidFile))
  return daprd
}

/** A unit can be called while its sidecar says that it is healthy and it is ready itself. */
export async function untilServed(unit: Unit, ports: UnitPorts, sidecar: Daprd, signal?: AbortSignal) {
  await sidecar.whenHealthy()
  const limit = AbortSignal.any([AbortSignal.timeout(READY_LIMIT_MS), ...(signal ? [signal] : [])])
  let answer: string
  do {
    // /readyz gives its database and its sidecar a second to answer; while all start at once they may need more.
    const response = await fetch(`http://127.0.0.1:${ports.app}/readyz`, {
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    }).catch((error: unknown) => new Response(String(error), { status: 503 })) // it may be started anew
    answer = await response.text()
    if (response.ok) return
    await delay(READY_PAUSE_MS)
  } while (!limit.aborted)
  throw new Error(`${unit.id} is not ready: ${answer}`)
}

/** The name of the part that is a unit's sidecar. */
export const sidecarOf = (unitId: string): string => `${unitId}-daprd`

const pidFileOf = (dataDir: string, name: string): string => join(pidFolderOf(dataDir), `${name}.pid`)

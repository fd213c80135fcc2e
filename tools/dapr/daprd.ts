import { setTimeout as delay } from 'node:timers/promises'
import { freePortsFor } from '../ports.ts'
import { startProgram, type Program } from '../program.ts'
import { ProgramError } from '../program-error.ts'
import { worstLine } from '../program-log.ts'
import { binary, LOOPBACK_ONLY, WHEN_NOT_BUILT } from './binaries.ts'

const HEALTHY_LIMIT_MS = 30_000
const PAUSE_MS = 50
const ANSWER_LIMIT_MS = 2000

export interface DaprdPorts {
  http: number
  grpc: number
  /** Between sidecars: invocation. */
  internalGrpc: number
  metrics: number
}

/** daprd asks the app's health and, while it fails, takes no events and no jobs for it. */
interface AppHealthCheck {
  /** /healthz by default. */
  path?: string
  probeIntervalSeconds?: number
  probeTimeoutMs?: number
  threshold?: number
}

export interface DaprdOptions {
  appId: string
  /** Must be another than daprd's own. A daprd without an app must share its app-id with none that has one. */
  appPort?: number
  appHealthCheck?: AppHealthCheck
  resourcesPaths: readonly string[]
  configFiles?: readonly string[]
  schedulerAddress?: string
  /** Give those of an earlier start to start it again in its place. */
  ports?: DaprdPorts
  /** Tokens (DAPR_API_TOKEN, APP_API_TOKEN) and what the components read from the environment. */
  env?: Record<string, string | undefined>
  logFile: string
  logLevel?: 'debug' | 'info' | 'warn' | 'error'
  /** More of daprd's flags, each as `--name=value`. */
  flags?: readonly string[]
}

export interface Daprd extends Program {
  readonly baseUrl: string
  readonly ports: DaprdPorts
  /** Resolves when `/v1.0/healthz` answers 204: the app is there, its subscriptions and the scheduler are connected. */
  whenHealthy(limitMs?: number): Promise<void>
}

/**
 * A sidecar on 127.0.0.1, ready when its components are (`/v1.0/healthz/outbound` answers 204); the app may come later.
 * API: docs.dapr.io/reference/arguments-annotations-overview, docs.dapr.io/reference/api/health_api.
 */
export async function startDaprd(options: DaprdOptions): Promise<Daprd> {
  const ports = options.ports ?? (await freePortsFor('http', 'grpc', 'internalGrpc', 'metrics'))
  const baseUrl = `http://127.0.0.1:${ports.http}`
  const name = `daprd of ${options.appId}`
  const program = await startProgram({
    name,
    command: binary('daprd'),
    args: flagsOf(options, ports),
    whenMissing: WHEN_NOT_BUILT,
    env: { ...LOOPBACK_ONLY, ...options.env },
    logFile: options.logFile,
    ports: Object.values(ports),
    isReady: () => answersNoContent(`${baseUrl}/v1.0/healthz/outbound`),
  })
  const whenHealthy = async (limitMs = HEALTHY_LIMIT_MS) => {
    const limit = AbortSignal.timeout(limitMs)
    while (!(await answersNoContent(`${baseUrl}/v1.0/healthz`).catch(() => false))) {
      if (limit.aborted) {
        const last = worstLine(program.log()) ?? 'it wrote nothing'
        throw new ProgramError(
          'program.not_ready',
          `${name} is not healthy: ${last} (log: ${options.logFile})`,
        )
      }
      await delay(PAUSE_MS)
    }
  }
  return { ...program, baseUrl, ports, whenHealthy }
}

function flagsOf(options: DaprdOptions, ports: DaprdPorts): string[] {
  const { appHealthCheck: check } = options
  const flags: Record<string, string | number | undefined> = {
    'app-id': options.appId,
    'app-port': options.appPort,
    'dapr-http-port': ports.http,
    'dapr-grpc-port': ports.grpc,
    'dapr-listen-addresses': '127.0.0.1',
    'dapr-internal-grpc-port': ports.internalGrpc,
    'dapr-internal-grpc-listen-address': '127.0.0.1',
    'metrics-port': ports.metrics,
    'metrics-listen-address': '127.0.0.1',
    'scheduler-host-address': options.schedulerAddress,
    'log-level': options.logLevel,
    'enable-app-health-check': check && 'true',
    'app-health-check-path': check?.path,
    'app-health-probe-interval': check?.probeIntervalSeconds,
    'app-health-probe-timeout': check?.probeTimeoutMs,
    'app-health-threshold': check?.threshold,
  }
  return [
    ...Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...options.resourcesPaths.map((path) => `--resources-path=${path}`),
    ...(options.configFiles ?? []).map((path) => `--config=${path}`),
    ...(options.flags ?? []),
  ]
}

async function answersNoContent(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) })
  await response.body?.cancel()
  return response.status === 204
}

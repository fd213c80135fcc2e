import { createHash } from 'node:crypto'
import { parse, stringify } from 'yaml'
import { HEALTH_CHECK, MAX_HEAD_SIZE } from '../../profiles/self-hosted/unit.ts'
import { header } from './generated.ts'
import type { Code, UnitSpec } from './units.ts'

const GATEWAY_PORT = 8080
/**
 * Of apps and, at the same distance, of sidecars; the ports of Kafka, PostgreSQL and what `dapr init` starts are elsewhere. What
 * sidecars open to other machines has a range of its own, for a firewall (docs/self-hosting.md).
 */
const RANGES = { app: 8100, sidecar: 3600, grpc: 10_600, internalGrpc: 11_600, metrics: 12_600, size: 800 }

/** A run template (docs.dapr.io, "Multi-App Run") with one app for each unit. `before`: as it was rendered last. */
export function runTemplate(
  { units }: Code,
  broker: { name: string; components: string },
  before: string,
): string {
  const { path, probeIntervalSeconds, probeTimeoutMs, threshold } = HEALTH_CHECK
  const offsets = portOffsets(
    units.map(({ id }) => id),
    offsetsIn(before),
  )
  const template = {
    version: 1,
    common: {
      resourcesPaths: [broker.components],
      apiListenAddresses: '127.0.0.1',
      readBufferSize: MAX_HEAD_SIZE,
      enableAppHealthCheck: true,
      appHealthCheckPath: path,
      appHealthProbeInterval: probeIntervalSeconds,
      appHealthProbeTimeout: probeTimeoutMs,
      appHealthThreshold: threshold,
    },
    apps: units.map((unit) => appOf(unit, offsets.get(unit.id)!)),
  }
  return `${header('the functions')}#
# For \`dapr run -f\`: the same units as \`npm run start:dapr\`, for who has the Dapr CLI and brings scheduler, ${broker.name}
# and PostgreSQL. What the units and their sidecars read comes from the shell; docs/self-hosting.md names it.
${stringify(template, { singleQuote: true, lineWidth: 0 })}`
}

function appOf({ id, functions, isGateway }: UnitSpec, offset: number): object {
  const port = isGateway ? GATEWAY_PORT : RANGES.app + offset
  return {
    appID: id,
    appDirPath: '.',
    appPort: port,
    daprHTTPPort: RANGES.sidecar + offset,
    daprGRPCPort: RANGES.grpc + offset,
    daprInternalGRPCPort: RANGES.internalGrpc + offset,
    metricsPort: RANGES.metrics + offset,
    configFilePath: `dapr/configuration/self-hosted/${id}.yaml`,
    env: { PORT: String(port) },
    command: ['node', 'functions/main.ts', ...functions.map(({ name }) => name)],
  }
}

/**
 * How far from the beginning of each range the ports of a unit are. It follows from the unit's name, so that a unit keeps
 * its ports when others come and go. Where two names fall on the same, the one that is there already keeps what it has and
 * the other gets the next that is free.
 */
export function portOffsets(
  ids: readonly string[],
  before: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const offsets = new Map<string, number>()
  const taken = new Set<number>()
  const take = (id: string, offset: number) => {
    offsets.set(id, offset)
    taken.add(offset)
  }
  for (const id of ids) {
    const offset = before.get(id)
    if (offset !== undefined && !taken.has(offset)) take(id, offset)
  }
  for (const id of ids.filter((each) => !offsets.has(each))) {
    let offset = createHash('sha256').update(id).digest().readUInt32BE() % RANGES.size
    while (taken.has(offset)) offset = (offset + 1) % RANGES.size
    take(id, offset)
  }
  return offsets
}

function offsetsIn(template: string): Map<string, number> {
  const { apps } = (parse(template) ?? { apps: [] }) as { apps: { appID: string; daprHTTPPort: number }[] }
  return new Map(apps.map(({ appID, daprHTTPPort }) => [appID, daprHTTPPort - RANGES.sidecar]))
}

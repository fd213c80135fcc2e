import { stringify } from 'yaml'
import type { Unit } from '../../shared/kit/units.ts'
import { GATEWAY } from './gateway.ts'
import { HEALTH_CHECK } from './unit.ts'

const GATEWAY_PORT = 8080
const FIRST_PORT = 8081
const FIRST_SIDECAR_PORT = 3501

const HEADER = `# Generated from the functions by \`npm run generate\`; not to be edited.
#
# For \`dapr run -f dapr.yaml\`: the same units as \`npm run start:dapr\`, for who has the Dapr CLI and brings scheduler, Kafka
# and PostgreSQL. What the units and their sidecars read comes from the shell; docs/self-hosting.md names it.
`

/** dapr.yaml, a multi-app run template (docs.dapr.io, "Multi-App Run"), with one app for each unit. */
export function runTemplate(units: readonly Unit[]): string {
  const { path, probeIntervalSeconds, probeTimeoutMs, threshold } = HEALTH_CHECK
  const template = {
    version: 1,
    common: {
      resourcesPaths: ['dapr/components'],
      configFilePath: 'dapr/configuration/self-hosted.yaml',
      apiListenAddresses: '127.0.0.1',
      enableAppHealthCheck: true,
      appHealthCheckPath: path,
      appHealthProbeInterval: probeIntervalSeconds,
      appHealthProbeTimeout: probeTimeoutMs,
      appHealthThreshold: threshold,
    },
    apps: units.map(({ id, functions }, index) => {
      const port = id === GATEWAY ? GATEWAY_PORT : FIRST_PORT + index
      return {
        appID: id,
        appDirPath: '.',
        appPort: port,
        daprHTTPPort: FIRST_SIDECAR_PORT + index,
        env: { PORT: String(port) },
        command: ['node', 'functions/main.ts', ...functions],
      }
    }),
  }
  return HEADER + stringify(template, { singleQuote: true, lineWidth: 0 })
}

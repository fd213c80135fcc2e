import { join } from 'node:path'
import { freePortsFor } from '../ports.ts'
import type { Program } from '../program.ts'
import { prepareFolder, startService } from '../service.ts'
import { binary, LOOPBACK_ONLY, WHEN_NOT_BUILT } from './binaries.ts'

const MEMBER = 'dapr-scheduler-server-0'

export interface SchedulerPorts {
  /** gRPC, for daprd. */
  api: number
  /** HTTP; Dapr 1.18 opens this one on every interface, whatever `--healthz-listen-address` says. */
  health: number
  etcdClient: number
  etcdPeer: number
}

export interface SchedulerOptions {
  /** The embedded etcd with the jobs; made when absent. Start it again with the same ports: etcd knows itself by them. */
  dataDir: string
  ports?: SchedulerPorts
}

export interface Scheduler extends Program {
  /** For `startDaprd`: `127.0.0.1:<port>`. */
  readonly address: string
  readonly ports: SchedulerPorts
}

/**
 * The service of Dapr that keeps jobs and fires them, ready when it fires: a second after the first start or a stop, but
 * about 20 s after a kill, because the killed one's lease in etcd has to run out (go-etcd-cron). Its own health check
 * says yes before that, so the log is asked.
 */
export async function startScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const root = prepareFolder('The scheduler', options.dataDir)
  const ports = options.ports ?? (await freePortsFor('api', 'health', 'etcdClient', 'etcdPeer'))
  const flags = {
    'listen-address': '127.0.0.1',
    port: ports.api,
    'healthz-port': ports.health,
    'healthz-listen-address': '127.0.0.1',
    'enable-metrics': false,
    id: MEMBER,
    'etcd-data-dir': join(root, 'etcd'),
    'etcd-client-listen-address': '127.0.0.1',
    'etcd-client-port': ports.etcdClient,
    'etcd-initial-cluster': `${MEMBER}=http://127.0.0.1:${ports.etcdPeer}`,
  }
  const program = await startService({
    name: 'The scheduler',
    command: binary('scheduler'),
    args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    whenMissing: WHEN_NOT_BUILT,
    env: LOOPBACK_ONLY,
    dataDir: root,
    ports: Object.values(ports),
    isReady: async ({ log }) => await Promise.resolve(log().includes('msg="Cron is ready"')),
  })
  return { ...program, address: `127.0.0.1:${ports.api}`, ports }
}

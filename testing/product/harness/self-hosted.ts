import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { readConfig } from '../../../shared/config.ts'
import { startSelfHosted } from '../../../profiles/self-hosted/start-self-hosted.ts'
import { EDGE } from '../../../shared/kit/units.ts'
import { startUnitReplica, type UnitReplica } from '../../worlds/unit-replica.ts'
import type { BrokerName } from '../../../profiles/self-hosted/broker.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    broker: BrokerName
    /** The sidecar of each process of each unit. */
    sidecars: { unitId: string; metricsPort: number }[]
  }
}

/**
 * Vitest's set-up of a project: Daybook on real Dapr and the broker that the project provides, for all its files; two
 * processes of each unit, so that any request and any event may land on any of them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-product-'))
  chmodSync(folder, 0o755)
  const config = readConfig({
    PORT: '0',
    DAYBOOK_DATA_DIR: folder,
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_SECOND: '0',
    TRUSTED_PROXIES: '127.0.0.1',
    OUTBOUND_ALLOW: '127.0.0.1',
    MAIL_FROM: 'Daybook <daybook@daybook.example>', // whom web push names
  })
  const { broker } = project.config.provide
  const daybook = await startSelfHosted({ config, ...(broker && { broker }) })
  const replicas: UnitReplica[] = []
  const end = async () => {
    await Promise.all(replicas.map((replica) => replica.stop()))
    await daybook.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  // Each program that runs is ended with us by a listener of its own (tools/program.ts).
  process.setMaxListeners(process.getMaxListeners() + 2 * daybook.units.length)
  try {
    for (const { id } of daybook.units) replicas.push(await startUnitReplica(daybook, id))
  } catch (error) {
    await end()
    throw error
  }
  const portsOf = (unitId: string) => [
    daybook.ports.units.get(unitId)!,
    ...replicas.filter((replica) => replica.unitId === unitId).map(({ ports }) => ports),
  ]
  project.provide('product', {
    urls: portsOf(EDGE).map(({ app }) => `http://127.0.0.1:${app}`),
    databaseUrl: daybook.databaseUrl,
    mailbox: join(folder, 'mailbox'),
  })
  project.provide(
    'sidecars',
    daybook.units.flatMap(({ id }) =>
      portsOf(id).map(({ metrics }) => ({ unitId: id, metricsPort: metrics })),
    ),
  )
  return end
}

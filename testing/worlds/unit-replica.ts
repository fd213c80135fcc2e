import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SelfHosted } from '../../profiles/self-hosted/start-self-hosted.ts'
import { startApp, startSidecar, type UnitPorts } from '../../profiles/self-hosted/unit.ts'
import { freePortsFor } from '../../tools/ports.ts'

export interface UnitReplica {
  unitId: string
  ports: UnitPorts
  /** SIGTERM, its sidecar first. */
  stop(): Promise<void>
  /** SIGKILL to both. */
  kill(): Promise<void>
}

/** One more process and sidecar of a unit, in the consumer group of the first: the broker shares its partitions out. */
export async function startUnitReplica(daybook: SelfHosted, unitId: string): Promise<UnitReplica> {
  const unit = daybook.units.find(({ id }) => id === unitId)!
  const dataDir = join(daybook.dataDir, `replica-${unitId}`)
  mkdirSync(join(dataDir, 'pids'), { recursive: true, mode: 0o700 })
  const ports = await freePortsFor('app', 'http', 'grpc', 'internalGrpc', 'metrics')
  const unitContext = { ...daybook.unitContext, dataDir }
  const process = await startApp(unit, ports, unitContext)
  try {
    const sidecar = await startSidecar(unit, ports, unitContext)
    return {
      unitId,
      ports,
      async stop() {
        await sidecar.stop()
        await process.stop()
      },
      kill: async () => void (await Promise.all([sidecar.kill(), process.kill()])),
    }
  } catch (error) {
    await process.kill()
    throw error
  }
}

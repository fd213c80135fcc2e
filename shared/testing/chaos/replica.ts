import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SelfHosted } from '../../../scripts/self-hosted/start-self-hosted.ts'
import { startApp, startSidecar } from '../../../scripts/self-hosted/unit.ts'
import { freePortsFor } from '../../../tools/ports.ts'

export interface Replica {
  /** SIGTERM, its sidecar first. */
  stop(): Promise<void>
  /** SIGKILL to both. */
  kill(): Promise<void>
}

/** One more process and sidecar of a unit, in the consumer group of the first: the broker shares its partitions out. */
export async function startReplica(daybook: SelfHosted, unitId: string): Promise<Replica> {
  const unit = daybook.units.find(({ id }) => id === unitId)!
  const dataDir = join(daybook.dataDir, `replica-${unitId}`)
  mkdirSync(join(dataDir, 'run'), { recursive: true })
  const ports = await freePortsFor('app', 'http', 'grpc', 'internalGrpc', 'metrics')
  const surroundings = { ...daybook.surroundings, dataDir }
  const process = await startApp(unit, ports, surroundings)
  try {
    const sidecar = await startSidecar(unit, ports, surroundings)
    return {
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

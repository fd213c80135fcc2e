import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { EDGE, type Unit } from '../../shared/kit/units.ts'
import type { SchedulerPorts } from '../../tools/dapr/scheduler.ts'
import { findTakenPort, freePorts } from '../../tools/ports.ts'
import { ProgramError } from '../../tools/program-error.ts'
import type { UnitPorts } from './unit.ts'

export interface Ports {
  scheduler: SchedulerPorts
  /** As many as the broker needs. */
  broker: readonly number[]
  /** By app-id. */
  units: ReadonlyMap<string, UnitPorts>
}

const Kept = z.object({ api: z.number(), health: z.number(), etcdClient: z.number(), etcdPeer: z.number() })

/**
 * One port for the world, free ones for the rest, all different. The scheduler gets those of the last start where they
 * are still free, since its etcd knows itself by them. Throws `port.in_use` when `gatewayPort` is taken; 0 takes any.
 */
export async function planPorts(
  units: readonly Unit[],
  gatewayPort: number,
  dataDir: string,
): Promise<Ports> {
  if (gatewayPort !== 0 && (await findTakenPort([gatewayPort])) !== undefined) {
    throw new ProgramError(
      'port.in_use',
      `port ${gatewayPort} is in use; stop what uses it or set PORT to another.`,
    )
  }
  const kept = await keptPorts(join(dataDir, 'scheduler-ports.json'))
  const taken = new Set([gatewayPort, ...Object.values(kept ?? {})])
  const free = (await freePorts(units.length * 5 + 4 + 2 + taken.size)).filter((port) => !taken.has(port))
  const next = () => free.pop()!
  const scheduler = kept ?? { api: next(), health: next(), etcdClient: next(), etcdPeer: next() }
  writeFileSync(join(dataDir, 'scheduler-ports.json'), `${JSON.stringify(scheduler)}\n`)
  return {
    scheduler,
    broker: [next(), next()],
    units: new Map(
      units.map(({ id }) => {
        const app = id === EDGE && gatewayPort !== 0 ? gatewayPort : next()
        return [id, { app, http: next(), grpc: next(), internalGrpc: next(), metrics: next() }]
      }),
    ),
  }
}

async function keptPorts(path: string): Promise<SchedulerPorts | undefined> {
  if (!existsSync(path)) return undefined
  const kept = readKept(readFileSync(path, 'utf8'))
  if (!kept) return undefined
  return (await findTakenPort(Object.values(kept))) === undefined ? kept : undefined
}

/** Undefined for a file that was not written to its end: then the scheduler gets new ports and a new beginning. */
function readKept(text: string): SchedulerPorts | undefined {
  try {
    return Kept.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

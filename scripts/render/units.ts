import { loadFunctions } from '../../functions/main.ts'
import { DUE_ROWS } from '../../shared/db/due-rows.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { unitsOf } from '../../shared/kit/units.ts'
import { needsOf, type Needs } from './platform.ts'

export type Trigger =
  { type: 'kafka'; topic: string } | { type: 'postgresql'; rows: keyof typeof DUE_ROWS; query: string }

/** How a unit is run on Kubernetes. `why` it cannot sleep; null: it sleeps while it has nothing to do. */
interface Scaling {
  kind: 'knative' | 'keda' | 'deployment'
  min: 0 | 1
  max: number
  why: string | null
  triggers: readonly Trigger[]
}

/** A unit with all that follows from its functions. */
export interface UnitSpec {
  id: string
  functions: readonly DaybookFunction[]
  needs: Needs
  scaling: Scaling
  /** It passes requests on to the other units. */
  isGateway: boolean
  /** It holds connections for as long as clients like. */
  hasStreams: boolean
}

export interface Code {
  /** Every function, those that all units answer included, by name. */
  functions: readonly DaybookFunction[]
  units: readonly UnitSpec[]
}

export async function readCode(): Promise<Code> {
  const functions = await loadFunctions()
  const named = new Map(functions.map((fn) => [fn.name, fn]))
  const units = unitsOf(functions).map(({ id, functions: names }) =>
    specOf(
      id,
      names.map((name) => named.get(name)!),
    ),
  )
  return { functions, units }
}

export function specOf(id: string, functions: readonly DaybookFunction[]): UnitSpec {
  const hasStreams = functions.some(({ uses }) => uses.includes('streams'))
  return {
    id,
    functions,
    needs: needsOf(functions),
    scaling: scalingOf(functions, hasStreams),
    isGateway: functions.some(({ uses }) => uses.includes('units')),
    hasStreams,
  }
}

/** As many as there are partitions of a topic to share, but for the largest of installations. */
const MAX_WORKERS = 4
const MAX_SERVICES = 20

function scalingOf(functions: readonly DaybookFunction[], hasStreams: boolean): Scaling {
  if (hasStreams) {
    const why = 'a stream that ends with its pod is opened again at once'
    return { kind: 'deployment', min: 1, max: 1, why, triggers: [] }
  }
  if (functions.every(({ kind }) => kind === 'http' || kind === 'routes')) {
    return { kind: 'knative', min: 0, max: MAX_SERVICES, why: null, triggers: [] }
  }
  const triggers = triggersOf(functions)
  const why = reasonToStayAwake(functions)
  const kind = triggers.length > 0 ? 'keda' : 'deployment'
  return { kind, min: why ? 1 : 0, max: MAX_WORKERS, why, triggers }
}

function triggersOf(functions: readonly DaybookFunction[]): Trigger[] {
  const topics = new Set(functions.flatMap((fn) => (fn.kind === 'topic' ? fn.topics : [])))
  const rows = new Set(functions.flatMap((fn) => (fn.kind === 'cron' && fn.wakesOn ? [fn.wakesOn] : [])))
  return [
    ...[...rows].map((each) => ({ type: 'postgresql' as const, rows: each, query: DUE_ROWS[each] })),
    ...[...topics].map((topic) => ({ type: 'kafka' as const, topic })),
  ]
}

/** Neither a job nor a tick of a cron binding starts a pod; rows do, where a cron function names them. */
function reasonToStayAwake(functions: readonly DaybookFunction[]): string | null {
  const crons = functions.filter((fn) => fn.kind === 'cron')
  const waiting = crons.find(({ wakesOn }) => wakesOn === null)
  if (waiting) return `${waiting.name} has a schedule and no rows to wake on`
  const job = functions.find(({ kind }) => kind === 'job')
  return job && crons.length === 0 ? `${job.name} has jobs and there are no rows to wake on` : null
}

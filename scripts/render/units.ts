import { loadFunctions } from '../../functions/main.ts'
import { DUE_ROWS } from '../../shared/db/due-rows.ts'
import { TOPIC_SETTINGS } from '../../shared/domain/topics.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { EDGE, unitsOf } from '../../shared/kit/units.ts'
import { needsOf, type Needs } from './platform.ts'

export type Trigger =
  | { type: 'kafka'; topic: string; partitions: number }
  | { type: 'postgresql'; rows: keyof typeof DUE_ROWS; query: string }
  | { type: 'cron'; hours: number; start: string; end: string }

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
  const holder = functions.find(({ uses }) => uses.includes('streams') || uses.includes('units'))
  if (holder && id !== EDGE)
    throw new Error(`${holder.name} holds connections, which is for the services of ${EDGE}.`)
  return {
    id,
    functions,
    needs: needsOf(functions),
    scaling: scalingOf(id, functions),
    isGateway: functions.some(({ uses }) => uses.includes('units')),
  }
}

/** As many as there are partitions of a topic to share, but for the largest of installations. */
const MAX_WORKERS = 4
const MAX_SERVICES = 20

function scalingOf(id: string, functions: readonly DaybookFunction[]): Scaling {
  if (id === EDGE) {
    const why = 'it holds the connections of clients'
    return { kind: 'deployment', min: 1, max: MAX_SERVICES, why, triggers: [] }
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
    ...[...topics].map((topic) => ({
      type: 'kafka' as const,
      topic,
      partitions: TOPIC_SETTINGS[topic].partitions,
    })),
    ...[...new Set(functions.flatMap(hoursBetween))].map(clockTrigger),
  ]
}

/** Up for as long as its work takes at start-up, and the cooldown after that. */
const MINUTES_AWAKE = 2

/** Of what is done every few hours: the unit is started then, and does it because it starts. */
function hoursBetween(fn: DaybookFunction): number[] {
  if (fn.kind !== 'cron' || fn.wakesOn !== null || fn.everyMs === null) return []
  const hours = Number(/^@every (\d+)h$/.exec(fn.schedule)?.[1])
  return 24 % hours === 0 ? [hours] : []
}

function clockTrigger(hours: number): Trigger {
  const every = hours === 1 ? '*' : `*/${hours}`
  return { type: 'cron', hours, start: `0 ${every} * * *`, end: `${MINUTES_AWAKE} ${every} * * *` }
}

/** Neither a job nor a tick of a cron binding starts a pod; rows do, where a cron function names them, and a clock. */
function reasonToStayAwake(functions: readonly DaybookFunction[]): string | null {
  const crons = functions.filter((fn) => fn.kind === 'cron')
  const waiting = crons.find((fn) => fn.wakesOn === null && hoursBetween(fn).length === 0)
  if (waiting) return `${waiting.name} has a schedule and no rows to wake on`
  const late = crons.find((fn) => fn.wakesOn !== null && fn.wakesOn !== 'outbox' && fn.everyMs === null)
  if (late) return `${late.name} is woken by rows and does not look at them when it starts`
  const job = functions.find(({ kind }) => kind === 'job')
  return job && crons.length === 0 ? `${job.name} has jobs and there are no rows to wake on` : null
}

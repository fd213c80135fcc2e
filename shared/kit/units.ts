import type { Granularity } from '../app/ports.ts'

type FunctionKind = 'http' | 'routes' | 'topic' | 'job' | 'cron'

export interface NamedFunction {
  /** `<service>/<function>`, its path below functions/. */
  name: string
  kind: FunctionKind
}

/** The second half of a function's name. Throws where the loader has not named it (functions/main.ts). */
export function ownNameOf({ name }: { name: string }): string {
  const own = name.split('/')[1]
  if (!own) throw new TypeError('this function has no name; load it with loadFunctions')
  return own
}

/** What is deployed and scaled together, with one sidecar: `node functions/main.ts <functions…>`. */
export interface Unit {
  /** Dapr app-id, and with it the Kafka consumer group. */
  id: string
  functions: readonly string[]
}

/**
 * The unit that holds the connections of clients, for as long as they like, and passes on what the others serve: one that is
 * never taken apart and never asleep (decision 094).
 */
export const EDGE = 'edge'
const AT_THE_EDGE = new Set(['web', 'sync', 'mcp'])
/** Answered by every unit, deployed by none. */
const EVERYWHERE = new Set(['health'])

const serviceOf = ({ name }: { name: string }): string => name.split('/')[0] ?? ''

export const isEverywhere = (fn: { name: string }): boolean => EVERYWHERE.has(serviceOf(fn))

/** The app-id of the unit that runs a function; null when every unit does. */
export function unitOf(fn: NamedFunction): string | null {
  const service = serviceOf(fn)
  if (isEverywhere(fn)) return null
  if (AT_THE_EDGE.has(service)) return EDGE
  return `${service}-${fn.kind === 'http' || fn.kind === 'routes' ? 'api' : 'worker'}`
}

/** The app that answers the requests for an HTTP function. */
export function appOf(fn: NamedFunction, granularity: Granularity): string | null {
  const unit = unitOf(fn)
  return granularity === 'unit' || unit === null || unit === EDGE ? unit : fn.name.replace('/', '-')
}

/** The units that the functions make, both sorted by name. */
export function unitsOf(functions: readonly NamedFunction[]): Unit[] {
  const units = new Map<string, string[]>()
  for (const fn of functions) {
    const id = unitOf(fn)
    if (id !== null) units.set(id, [...(units.get(id) ?? []), fn.name])
  }
  return [...units]
    .map(([id, names]) => ({ id, functions: names.toSorted() }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

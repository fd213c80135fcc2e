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

/** Sync holds long connections and listens for events in the process that holds them, so it is never taken apart. */
const UNDIVIDED = new Set(['sync'])
/** Answered by every unit (functions/main.ts adds them), deployed by none. */
const EVERYWHERE = new Set(['health'])

/** The app-id of the unit that runs a function; null when every unit does. */
export function unitOf({ name, kind }: NamedFunction): string | null {
  const [service = ''] = name.split('/')
  if (EVERYWHERE.has(service)) return null
  if (UNDIVIDED.has(service)) return service
  return `${service}-${kind === 'http' || kind === 'routes' ? 'api' : 'worker'}`
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

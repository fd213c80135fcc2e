import type { FeatureTraits } from '../../shared/app/health/feature-status.ts'
import type { DaybookFunction } from '../../shared/kit/mount-functions.ts'
import { header } from './generated.ts'
import type { Code, UnitSpec } from './units.ts'

export interface Route {
  method: string
  path: string
}

/** What a unit serves to clients. Pages of routesFunctions with a `*` are for whoever mounts them. */
export const pathsOf = ({ functions }: Pick<UnitSpec, 'functions'>): Route[] =>
  functions.flatMap((fn) => {
    if (fn.kind === 'http') return fn.paths.map((path) => ({ method: fn.method, path }))
    if (fn.kind !== 'routes') return []
    return fn.serves.map((route) => {
      const [method = '', path = ''] = route.split(' ')
      return { method, path }
    })
  })

/** Which function serves what, for the gateway, in the order in which they are mounted. */
export function routeTable({ units }: Code): string {
  const lines = units
    .filter(({ isGateway }) => !isGateway)
    .flatMap(({ functions }) => functions)
    .flatMap((fn) =>
      pathsOf({ functions: [fn] }).map(({ method, path }) => `  '${method} ${path}': '${fn.name}',\n`),
    )
  return `${header('the functions', '//')}
/** Route to the function that serves it. */
export const ROUTES: Readonly<Record<string, string>> = {
${lines.join('')}}
`
}

/** What each service lives on, for GET /api/health/status. */
export function featureTable({ units }: Code): string {
  const services = new Map<string, DaybookFunction[]>()
  for (const fn of units.flatMap(({ functions }) => functions)) {
    const [service = ''] = fn.name.split('/')
    services.set(service, [...(services.get(service) ?? []), fn])
  }
  const lines = [...services].map(([service, functions]) => {
    const { dueRows, waitsForEvents, sendsOut } = traitsOf(functions)
    const rows = dueRows.map((name) => `'${name}'`).join(', ')
    return `  ${service}: { dueRows: [${rows}], waitsForEvents: ${waitsForEvents}, sendsOut: ${sendsOut} },\n`
  })
  return `${header('the functions', '//')}
/** The services of this Daybook, for GET /api/health/status. */
export const FEATURES = {
${lines.toSorted().join('')}} as const
`
}

function traitsOf(functions: readonly DaybookFunction[]): FeatureTraits {
  const dueRows = functions.flatMap((fn) => (fn.kind === 'cron' && fn.wakesOn ? [fn.wakesOn] : []))
  // What has rows with a time to look at does not depend on being told.
  const isOnItsOwn = dueRows.some((rows) => rows === 'dueReminders' || rows === 'deliveries')
  return {
    dueRows,
    waitsForEvents: !isOnItsOwn && functions.some(({ kind }) => kind === 'topic'),
    sendsOut: functions.some(({ uses }) => uses.includes('deliveries')),
  }
}

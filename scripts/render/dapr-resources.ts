import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseDocument, stringify, type Document } from 'yaml'
import { bindingOf, cronRouteOf } from '../../shared/kit/cron-function.ts'
import { header } from './generated.ts'
import { DAPR_API } from './platform.ts'
import { pathsOf } from './routes.ts'
import type { Code, UnitSpec } from './units.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FORMAT = { singleQuote: true, lineWidth: 0 } as const
/** The scope of a component that no function uses yet: no scope at all would open it to every app. */
const NOBODY = 'unused'

export interface Template {
  /** Below dapr/templates/. */
  path: string
  document: Document
  kind: string
  name: string
  /** Of a component, as `pubsub.kafka`. */
  type: string
  /** Takes secrets from the secret store. */
  takesSecrets: boolean
}

/** The files of dapr/: templates with what follows from the functions, and a cron binding for each cron function. */
export function daprResources(code: Code): [path: string, content: string][] {
  const templates = [...readTemplates('components'), ...readTemplates('variants')]
  const scopes = scopesOf(templates, code.units)
  const rendered = templates.map(({ path, document, kind, name }): [string, string] => {
    if (kind === 'Component') document.set('scopes', scopes(name))
    if (path.endsWith('/resiliency.yaml')) addComponentTargets(document, templates)
    if (path.endsWith('/resiliency-gateway.yaml')) addAppTargets(document, code.units)
    return [`dapr/${path}`, header(`dapr/templates/${path} and the functions`) + document.toString(FORMAT)]
  })
  const crons = cronComponents(code.units)
  const readers = scopes('secretstore')
  return [...rendered, ['dapr/components/cron.yaml', crons], ...configurations(code.units, readers)]
}

export function readTemplates(folder: string): Template[] {
  return readdirSync(`${ROOT}dapr/templates/${folder}`)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .map((file) => {
      const path = `${folder}/${file}`
      const document = parseDocument(readFileSync(`${ROOT}dapr/templates/${path}`, 'utf8'))
      if (document.errors[0]) throw new Error(`dapr/templates/${path}: ${document.errors[0].message}`)
      return {
        path,
        document,
        kind: String(document.get('kind')),
        name: String(document.getIn(['metadata', 'name'])),
        type: String(document.getIn(['spec', 'type'])),
        takesSecrets: document.hasIn(['auth', 'secretStore']),
      }
    })
}

/** Who may use a component: the units whose functions need it. A secret store also serves the components they load. */
export function scopesOf(
  templates: readonly Template[],
  units: readonly UnitSpec[],
): (name: string) => string[] {
  const taking = new Set(templates.filter(({ takesSecrets }) => takesSecrets).map(({ name }) => name))
  return (name) => {
    const wanted = name === 'secretstore' ? [name, ...taking] : [name]
    const users = units.filter(({ needs }) => needs.components.some((each) => wanted.includes(each)))
    return users.length > 0 ? users.map(({ id }) => id) : [NOBODY]
  }
}

/** Calls of every component but a secret store, whose callers ask again; of a broker also its deliveries. */
export function addComponentTargets(document: Document, templates: readonly Template[]): void {
  const components = templates.filter(
    ({ path, kind }) => path.startsWith('components/') && kind === 'Component',
  )
  for (const { name, type } of components.filter(({ type }) => !type.startsWith('secretstores.'))) {
    const isBroker = type.startsWith('pubsub.')
    const ownTimeout = `${name}-call`
    const hasOwn = document.hasIn(['spec', 'policies', 'timeouts', ownTimeout])
    const flow = (value: unknown) => document.createNode(value, { flow: true })
    const target = ['spec', 'targets', 'components', name]
    if (isBroker)
      document.setIn([...target, 'inbound'], flow({ timeout: 'delivery', retry: 'event-delivery' }))
    document.setIn(
      [...target, 'outbound'],
      flow({
        timeout: hasOwn ? ownTimeout : 'component-call',
        circuitBreaker: isBroker ? 'broker-breaker' : 'component-breaker',
      }),
    )
  }
}

/** Of the gateway's calls: every unit that serves something it passes on. */
function addAppTargets(document: Document, units: readonly UnitSpec[]): void {
  const called = units.filter((unit) => !unit.isGateway && pathsOf(unit).length > 0)
  const targets = called.map(({ id }) => [id, { timeout: 'gateway-call', retry: 'gateway-retry' }])
  document.setIn(['spec', 'targets'], document.createNode({ apps: Object.fromEntries(targets) as object }))
  document.set(
    'scopes',
    units.filter(({ isGateway }) => isGateway).map(({ id }) => id),
  )
}

/** `direction: input` saves the probe at start, whose failure would keep all later bindings from starting. */
function cronComponents(units: readonly UnitSpec[]): string {
  const documents = units.flatMap(({ id, functions }) =>
    functions.flatMap((fn) => {
      if (fn.kind !== 'cron') return []
      const component = {
        apiVersion: 'dapr.io/v1alpha1',
        kind: 'Component',
        metadata: { name: bindingOf(fn) },
        spec: {
          type: 'bindings.cron',
          version: 'v1',
          metadata: [
            { name: 'schedule', value: fn.schedule },
            { name: 'route', value: cronRouteOf(fn) },
            { name: 'direction', value: 'input' },
          ],
        },
        scopes: [id],
      }
      return [`# functions/${fn.name}.ts\n${stringify(component, FORMAT)}`]
    }),
  )
  return header('the cron functions') + documents.join('---\n')
}

/** One Configuration for each unit: what its app may ask of Dapr and which secrets it may read. */
function configurations(
  units: readonly UnitSpec[],
  readers: readonly string[],
): [path: string, content: string][] {
  return readTemplates('configuration').flatMap(({ path }) => {
    const profile = path.replace(/\.yaml$/, '')
    const text = readFileSync(`${ROOT}dapr/templates/${path}`, 'utf8')
    return units.map((unit): [string, string] => {
      const document = parseDocument(text)
      const flow = (value: unknown) => document.createNode(value, { flow: true })
      document.setIn(['metadata', 'name'], unit.id)
      document.setIn(['spec', 'api', 'allowed'], document.createNode([]))
      for (const rule of apiRules(unit)) document.addIn(['spec', 'api', 'allowed'], flow(rule))
      // Dapr warns of rules about a store that it has not loaded.
      if (readers.includes(unit.id)) {
        document.setIn(['spec', 'secrets', 'scopes'], document.createNode([secretScope(unit)]))
      }
      const from = `dapr/templates/${path} and the functions`
      return [`dapr/${profile}/${unit.id}.yaml`, header(from) + document.toString(FORMAT)]
    })
  })
}

/** What shared/dapr calls for its functions; /v1.0/healthz is always allowed. The gRPC rule closes the rest of gRPC. */
const apiRules = ({ needs }: UnitSpec) => [
  ...needs.api.map((name) => ({ name, version: DAPR_API[name], protocol: 'http' })),
  { name: 'metadata', version: 'v1', protocol: 'http' },
  { name: 'metadata', version: 'v1', protocol: 'grpc' },
]

const secretScope = ({ needs: { secrets } }: UnitSpec) => ({
  storeName: 'secretstore',
  defaultAccess: 'deny',
  ...(secrets.length > 0 && { allowedSecrets: secrets }),
})

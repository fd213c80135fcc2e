import { parseSchedule } from '../../dapr/embedded/jobs/cron-schedule.ts'
import { about, list, record, strings, text, type Finding, type Resource } from './finding.ts'
import { lintKnown } from './known-types.ts'

interface Entry {
  name: string
  value: string | undefined
  isReference: boolean
  usesSecret: boolean
}

export interface Component {
  resource: Resource
  type: string
  version: string | undefined
  scopes: readonly string[]
  entries: readonly Entry[]
}

export function readComponent(resource: Resource): Component {
  const spec = record(resource.content['spec'])
  const optional = (value: unknown) => text(value) || undefined
  return {
    resource,
    type: text(spec['type']),
    version: optional(spec['version']),
    scopes: strings(resource.content['scopes']),
    entries: list(spec['metadata']).map((entry) => ({
      name: text(entry['name']),
      value: optional(entry['value']),
      isReference: entry['envRef'] !== undefined || entry['secretKeyRef'] !== undefined,
      usesSecret: entry['secretKeyRef'] !== undefined,
    })),
  }
}

/** The value of a metadata entry; Dapr does not look at the case of its name. */
export const valueOf = (component: Component, name: string): string | undefined =>
  component.entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase())?.value

/** Rules that one component breaks by itself, wherever its file lies. */
export function lintComponent(component: Component): Finding[] {
  const rules = [lintShape, lintKnown, lintSecrets, lintBinding, lintSchedule, lintKafka, lintPostgres]
  return rules.flatMap((rule) =>
    rule(component).map(([problem, remedy]) => about(component.resource, problem, remedy)),
  )
}

type Complaint = [problem: string, remedy: string]

function lintShape({ type, version, entries }: Component): Complaint[] {
  const complaints: Complaint[] = []
  if (type === '') complaints.push(['has no spec.type', 'name the component type'])
  if (version === undefined) {
    complaints.push(['has no spec.version, and Dapr takes the first there ever was', 'say the version'])
  }
  const names = entries.map(({ name }) => name.toLowerCase())
  for (const name of new Set(names.filter((entry, index) => names.indexOf(entry) !== index))) {
    complaints.push([`sets ${name} twice`, 'keep one of them'])
  }
  return complaints
}

const SECRET_NAME =
  /(password|secret|token|apikey|clientkey|privatekey|accesskey|accountkey|connectionstring)$|^key$/i

function lintSecrets({ entries, resource }: Component): Complaint[] {
  const complaints: Complaint[] = entries
    .filter(({ name, value, isReference }) => SECRET_NAME.test(name) && Boolean(value) && !isReference)
    .map(({ name }) => [
      `holds ${name} in plain text`,
      'use secretKeyRef with auth.secretStore, or envRef with a variable of the sidecar',
    ])
  const store = record(resource.content['auth'])['secretStore']
  if (entries.some(({ usesSecret }) => usesSecret) && store === undefined) {
    complaints.push([
      'uses secretKeyRef without auth.secretStore, and gets nothing',
      'add auth.secretStore: secretstore',
    ])
  }
  return complaints
}

const DIRECTION = /^(input|output|input, *output)$/

function lintBinding(component: Component): Complaint[] {
  if (!component.type.startsWith('bindings.')) return []
  const direction = valueOf(component, 'direction')
  if (direction === undefined) {
    const wanted = component.type === 'bindings.cron' ? 'input' : 'output'
    return [
      [
        'has no direction, so Dapr probes the app at start and a failing probe stops all later bindings',
        `add { name: direction, value: ${wanted} }`,
      ],
    ]
  }
  if (!DIRECTION.test(direction)) return [[`has the direction ${direction}`, 'use input or output']]
  if (component.type === 'bindings.cron' && direction !== 'input') {
    return [[`is a cron binding with the direction ${direction}`, 'use input']]
  }
  return []
}

function lintSchedule(component: Component): Complaint[] {
  const schedule = valueOf(component, 'schedule')
  if (component.type !== 'bindings.cron' || schedule === undefined) return []
  try {
    parseSchedule(schedule, { fields: 'five-or-six' })
    return []
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error)
    return [
      [
        `has the schedule ${schedule}, which Dapr cannot read (${fault})`,
        "write '@every 5m' or five or six fields",
      ],
    ]
  }
}

function lintKafka(component: Component): Complaint[] {
  if (component.type !== 'pubsub.kafka') return []
  const complaints: Complaint[] = []
  if (valueOf(component, 'initialOffset') !== 'oldest') {
    complaints.push([
      'starts a new consumer group at the end of a topic and loses what was published before',
      'add { name: initialOffset, value: oldest }',
    ])
  }
  const grouped = component.entries.find(({ name }) => /^(consumerGroup|consumerID)$/i.test(name))
  if (grouped) {
    complaints.push([
      `sets ${grouped.name}: all units would share one consumer group and miss each other's events`,
      `remove it; the consumer group is the app-id then`,
    ])
  }
  return complaints
}

function lintPostgres({ type, version }: Component): Complaint[] {
  if (type !== 'state.postgresql' || version === 'v2') return []
  return [[`has the version ${version ?? 'v1, by default,'}, whose tables are others`, 'write version: v2']]
}

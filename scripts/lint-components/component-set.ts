import { parseSchedule } from '../../dapr/embedded/cron-schedule.ts'
import { valueOf, type Component } from './components.ts'
import { about, PLANNED_UNITS, record, type Code, type Finding, type Resource } from './finding.ts'

/** Rules about the components that are loaded together: the files at the top level of dapr/components/. */
export function lintSet(
  resources: readonly Resource[],
  components: readonly Component[],
  code: Code,
): Finding[] {
  return [
    ...lintNames(resources),
    ...lintCrons(components, code),
    ...lintBroker(components, code),
    ...components.flatMap((component) => lintSecretStore(component, components)),
  ]
}

function lintNames(resources: readonly Resource[]): Finding[] {
  const seen = new Map<string, Resource>()
  return resources.flatMap((resource) => {
    const key = `${resource.kind} ${resource.name}`
    const first = seen.get(key)
    seen.set(key, first ?? resource)
    if (!first) return []
    return [
      about(
        resource,
        `has the name of one in ${first.file}, and Dapr keeps whichever it reads last`,
        'rename one, or move it to dapr/variants/',
      ),
    ]
  })
}

function lintCrons(components: readonly Component[], { crons }: Code): Finding[] {
  const bindings = components.filter(({ type }) => type === 'bindings.cron')
  const findings = bindings.flatMap((component) => lintCron(component, crons))
  const named = new Set(bindings.map(({ resource }) => resource.name))
  const silent = crons.filter(({ binding }) => !named.has(binding))
  return [
    ...findings,
    ...silent.map(({ name, binding, unit }) => ({
      file: 'components/cron.yaml',
      resource: `Component ${binding}`,
      problem: `is missing, so functions/${name}.ts is never called`,
      remedy: `add a bindings.cron component ${binding} with the scope ${unit}`,
    })),
  ]
}

function lintCron(component: Component, crons: Code['crons']): Finding[] {
  const { resource, scopes } = component
  const findings: Finding[] = []
  const route = `/dapr/cron/${resource.name}`
  if (valueOf(component, 'route') !== route) {
    findings.push(about(resource, `does not call ${route}`, `add { name: route, value: ${route} }`))
  }
  const schedule = valueOf(component, 'schedule')
  if (!schedule) {
    findings.push(about(resource, 'has no schedule', "add { name: schedule, value: '@every 5m' } or another"))
  } else {
    const fault = faultOf(schedule)
    const problem = `has the schedule ${schedule}, which Dapr cannot read (${fault})`
    if (fault !== undefined)
      findings.push(about(resource, problem, "write '@every 5m' or five or six fields"))
  }
  const fn = crons.find(({ binding }) => binding === resource.name)
  const isPlanned = scopes.length > 0 && scopes.every((scope) => PLANNED_UNITS.includes(scope))
  if (!fn && !isPlanned) {
    const remedy = `write a cronFunction with binding: '${resource.name}', or remove the component`
    findings.push(about(resource, `calls ${route}, which no function answers`, remedy))
  }
  if (fn && (scopes.length !== 1 || scopes[0] !== fn.unit)) {
    findings.push(
      about(
        resource,
        `is not scoped to ${fn.unit} alone, where its function runs`,
        `write scopes: [${fn.unit}]`,
      ),
    )
  }
  return findings
}

function faultOf(schedule: string): string | undefined {
  try {
    parseSchedule(schedule, { fields: 'five-or-six' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function lintBroker(components: readonly Component[], { units, subscriptions }: Code): Finding[] {
  const brokers = components.filter(({ type }) => type.startsWith('pubsub.'))
  const closed = brokers.flatMap(({ resource, scopes }) =>
    units
      .filter(({ id }) => scopes.length > 0 && !scopes.includes(id))
      .map(({ id }) =>
        about(resource, `is closed to ${id}, whose writes leave events to publish`, `add ${id} to scopes`),
      ),
  )
  const names = new Set(brokers.map(({ resource }) => resource.name))
  const lost = subscriptions.filter(({ pubsubname }) => !names.has(pubsubname))
  const unsafe = subscriptions.filter(({ deadLetterTopic }) => !deadLetterTopic)
  const finding = (unit: string, topic: string, problem: string, remedy: string): Finding => ({
    ...{ file: `GET /dapr/subscribe of ${unit}`, resource: `Subscription ${topic}`, problem, remedy },
  })
  return [
    ...closed,
    ...lost.map(({ unit, topic, pubsubname }) =>
      finding(unit, topic, `is on ${pubsubname}, which is no pubsub component`, 'use the name of one'),
    ),
    ...unsafe.map(({ unit, topic }) => finding(unit, topic, ...NO_DEAD_LETTER)),
  ]
}

export const NO_DEAD_LETTER: [problem: string, remedy: string] = [
  'has no deadLetterTopic: what cannot be processed is lost, or stops its partition for ever',
  'add deadLetterTopic',
]

function lintSecretStore(
  { resource, scopes, entries }: Component,
  components: readonly Component[],
): Finding[] {
  const name = record(resource.content['auth'])['secretStore']
  if (!entries.some(({ usesSecret }) => usesSecret) || typeof name !== 'string') return []
  const store = components.find((component) => component.resource.name === name)
  if (!store?.type.startsWith('secretstores.')) {
    return [about(resource, `takes secrets from ${name}, which is no secret store`, 'name a secret store')]
  }
  const outside = scopes.filter((scope) => !store.scopes.includes(scope))
  return outside.map((scope) =>
    about(
      resource,
      `is used by ${scope}, which may not use the secret store ${name}`,
      `add ${scope} to the scopes of ${name}`,
    ),
  )
}

/** A variant takes the place of the default component of its name: same family, same scopes. */
export function lintVariant(variant: Component, defaults: readonly Component[]): Finding[] {
  const { resource, type, scopes } = variant
  const replaced = defaults.find((component) => component.resource.name === resource.name)
  if (!replaced)
    return [
      about(resource, 'takes the place of nothing in dapr/components/', 'give it the name it is to replace'),
    ]
  const findings: Finding[] = []
  const [family = ''] = replaced.type.split('.')
  if (!type.startsWith(`${family}.`)) {
    findings.push(about(resource, `is a ${type} in the place of a ${replaced.type}`, 'give it another name'))
  }
  if (scopes.toSorted().join() !== replaced.scopes.toSorted().join()) {
    const remedy = `copy the scopes of ${replaced.resource.file}`
    findings.push(about(resource, `has other scopes than ${replaced.resource.file}`, remedy))
  }
  return [...findings, ...lintSecretStore(variant, defaults)]
}

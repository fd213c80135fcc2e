import { EDGE } from '../../shared/kit/units.ts'
import type { Component } from './components.ts'
import { about, record, strings, text, type Finding, type Resource } from './finding.ts'

const KINDS = { timeout: 'timeouts', retry: 'retries', circuitBreaker: 'circuitBreakers' } as const
type PolicyKind = keyof typeof KINDS
const POLICY_KINDS = Object.keys(KINDS) as PolicyKind[]

/** Go's time.ParseDuration, or a bare number, which Dapr takes for milliseconds. */
const DURATION = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/
const isDuration = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && (DURATION.test(value) || /^\d+$/.test(value)))

const COUNTS = 'requests|totalSuccesses|totalFailures|consecutiveSuccesses|consecutiveFailures'
const TRIP = new RegExp(`^(${COUNTS})\\s*(>=|>|==)\\s*\\d+$`)

interface Policies {
  resource: Resource
  declared: Record<PolicyKind, Record<string, unknown>>
  apps: Record<string, unknown>
  components: Record<string, unknown>
  scopes: readonly string[]
}

/** Rules about the Resiliency documents of a set, which daprd reads as one. */
export function lintResiliency(resources: readonly Resource[], components: readonly Component[]): Finding[] {
  const documents = resources.map(readPolicies)
  return [
    ...documents.flatMap((document) => [
      ...lintPlaces(document),
      ...lintDeclarations(document),
      ...lintApps(document),
      ...lintComponents(document, components),
    ]),
    ...lintTwice(documents),
    ...lintDeliveries(documents, components),
  ]
}

function readPolicies(resource: Resource): Policies {
  const spec = record(resource.content['spec'])
  const policies = record(spec['policies'])
  const targets = record(spec['targets'])
  return {
    resource,
    declared: {
      timeout: record(policies['timeouts']),
      retry: record(policies['retries']),
      circuitBreaker: record(policies['circuitBreakers']),
    },
    apps: record(targets['apps']),
    components: record(targets['components']),
    scopes: strings(resource.content['scopes']),
  }
}

function lintPlaces({ resource }: Policies): Finding[] {
  const { content } = resource
  const strays = ['targets', 'policies'].filter((key) => content[key] !== undefined)
  const spec = record(content['spec'])
  const unknown = [
    ...unknownKeys('spec', spec, ['policies', 'targets']),
    ...unknownKeys('spec.policies', record(spec['policies']), Object.values(KINDS)),
    ...unknownKeys('spec.targets', record(spec['targets']), ['apps', 'components', 'actors']),
  ]
  return [
    ...strays.map((key) =>
      about(resource, `has ${key} beside spec, where Dapr does not look`, `move it into spec`),
    ),
    ...unknown.map((key) =>
      about(resource, `has ${key}, which Dapr ignores`, 'remove it or correct the name'),
    ),
  ]
}

const unknownKeys = (where: string, object: Record<string, unknown>, known: readonly string[]): string[] =>
  Object.keys(object)
    .filter((key) => !known.includes(key))
    .map((key) => `${where}.${key}`)

function lintDeclarations({ resource, declared }: Policies): Finding[] {
  const { timeout, retry, circuitBreaker } = declared
  const findings = Object.entries(timeout)
    .filter(([, value]) => !isDuration(value))
    .map(([name, value]) =>
      about(resource, `timeout ${name} is ${text(value)}`, 'write a duration such as 5s'),
    )
  for (const [name, value] of Object.entries(retry)) {
    const policy = record(value)
    for (const key of ['duration', 'maxInterval', 'initialInterval'].filter(
      (entry) => policy[entry] !== undefined,
    )) {
      if (!isDuration(policy[key])) {
        findings.push(
          about(resource, `retry ${name} has the ${key} ${text(policy[key])}`, 'write a duration such as 5s'),
        )
      }
    }
    if (!['constant', 'exponential'].includes(text(policy['policy']))) {
      findings.push(
        about(resource, `retry ${name} has no policy that Dapr knows`, 'write constant or exponential'),
      )
    }
  }
  for (const [name, value] of Object.entries(circuitBreaker)) {
    const trip = record(value)['trip']
    if (typeof trip !== 'string' || !TRIP.test(trip)) {
      const remedy = 'write trip: consecutiveFailures >= 5 or another comparison of a count'
      findings.push(about(resource, `circuit breaker ${name} has no condition to open on`, remedy))
    }
  }
  return findings
}

/** Policy names of a target, each checked: declared in this document, and a name rather than a duration. */
function lintNames(
  { resource, declared }: Policies,
  target: string,
  names: Record<string, unknown>,
): Finding[] {
  const findings = unknownKeys(target, names, POLICY_KINDS).map((key) =>
    about(resource, `has ${key}, which Dapr ignores`, `use ${POLICY_KINDS.join(', ')}`),
  )
  for (const kind of POLICY_KINDS) {
    const name = names[kind]
    if (name === undefined || (typeof name === 'string' && Object.hasOwn(declared[kind], name))) continue
    if (isDuration(name)) {
      const remedy = `declare it under policies.${KINDS[kind]} and use its name`
      findings.push(
        about(resource, `${target} has the ${kind} ${text(name)}, where Dapr wants a name`, remedy),
      )
      continue
    }
    const effect = kind === 'circuitBreaker' ? 'daprd crashes on its first use' : 'Dapr then applies none'
    const remedy = `declare ${text(name)} under policies.${KINDS[kind]}`
    findings.push(about(resource, `${target} names an undeclared ${kind} ${text(name)}; ${effect}`, remedy))
  }
  return findings
}

function lintApps(document: Policies): Finding[] {
  const { resource, apps, declared, scopes } = document
  return Object.entries(apps).flatMap(([app, value]) => {
    const names = record(value)
    const retry = record(declared.retry[text(names['retry'])])
    const findings = lintNames(document, `apps.${app}`, names)
    if (names['retry'] !== undefined && record(retry['matching'])['httpStatusCodes'] === undefined) {
      const problem = `apps.${app} repeats a call whatever the app answers, a 404 or 412 as well`
      findings.push(about(resource, problem, "add matching: { httpStatusCodes: '502,504' } to the retry"))
    }
    if (names['circuitBreaker'] !== undefined && (scopes.length === 0 || scopes.includes(EDGE))) {
      const problem = `apps.${app} has a circuit breaker for ${EDGE}: any client's refused calls shut the route for all`
      findings.push(about(resource, problem, `give the document scopes without ${EDGE}`))
    }
    return findings
  })
}

function lintComponents(document: Policies, components: readonly Component[]): Finding[] {
  const { resource } = document
  return Object.entries(document.components).flatMap(([name, value]) => {
    const target = record(value)
    const findings = unknownKeys(`components.${name}`, target, ['inbound', 'outbound']).map((key) =>
      about(resource, `has ${key}, which Dapr ignores`, 'put it under inbound or outbound'),
    )
    if (!components.some((component) => component.resource.name === name)) {
      findings.push(
        about(resource, `has a target components.${name}, which is no component`, 'use the name of one'),
      )
    }
    for (const direction of ['inbound', 'outbound']) {
      findings.push(...lintNames(document, `components.${name}.${direction}`, record(target[direction])))
    }
    if (record(target['inbound'])['circuitBreaker'] !== undefined) {
      const problem = `components.${name}.inbound has a circuit breaker, which Dapr shares with outbound: failing consumers stop publishing`
      findings.push(about(resource, problem, 'remove it; keep the one of outbound'))
    }
    return findings
  })
}

function lintTwice(documents: readonly Policies[]): Finding[] {
  const seen = new Map<string, string>()
  return documents.flatMap(({ resource, declared }) =>
    POLICY_KINDS.flatMap((kind) =>
      Object.keys(declared[kind]).flatMap((name) => {
        const first = seen.get(`${kind} ${name}`)
        seen.set(`${kind} ${name}`, first ?? resource.name)
        if (first === undefined) return []
        return [
          about(
            resource,
            `declares the ${kind} ${name} of ${first} once more, and the last one wins`,
            'rename it',
          ),
        ]
      }),
    ),
  )
}

/** Without a retry the first failure of a delivery is its last; without an end of retries nothing is dead-lettered. */
function lintDeliveries(documents: readonly Policies[], components: readonly Component[]): Finding[] {
  return components
    .filter(({ type }) => type.startsWith('pubsub.'))
    .flatMap(({ resource }) => {
      const document = documents.find((candidate) => candidate.components[resource.name] !== undefined)
      const inbound = record(record(document?.components[resource.name])['inbound'])
      if (inbound['retry'] === undefined) {
        const problem = 'has no inbound retry, so a delivery that fails once goes to the dead letters'
        return [
          about(
            resource,
            problem,
            `add targets.components.${resource.name}.inbound.retry to resiliency.yaml`,
          ),
        ]
      }
      const retry = record(document?.declared.retry[text(inbound['retry'])])
      const isFinite = typeof retry['maxRetries'] === 'number' && retry['maxRetries'] >= 0
      if (isFinite || Object.keys(retry).length === 0) return []
      const problem =
        'is retried without end, so nothing ever reaches the dead letters and its partition stands still'
      return [about(resource, problem, `give the retry ${text(inbound['retry'])} a maxRetries`)]
    })
}

import { about, isKnownUnit, list, record, text, type Code, type Finding, type Resource } from './finding.ts'

/** The parts of Dapr's HTTP API that shared/dapr calls. */
const CALLED = {
  publish: 'v1',
  state: 'v1',
  jobs: 'v1',
  bindings: 'v1',
  secrets: 'v1',
  invoke: 'v1',
  metadata: 'v1',
  conversation: 'v1alpha2',
}

/** Rules about a Configuration, one per way to run. */
export function lintConfiguration(resource: Resource, code: Code): Finding[] {
  const spec = record(resource.content['spec'])
  return [...lintTracing(resource, spec), ...lintAllowed(resource, spec), ...lintAccess(resource, spec, code)]
}

function lintTracing(resource: Resource, spec: Record<string, unknown>): Finding[] {
  const rate = record(spec['tracing'])['samplingRate']
  if (typeof rate === 'string' && Number(rate) > 0 && Number(rate) <= 1) return []
  return [
    about(
      resource,
      'has no tracing.samplingRate that Dapr can read: it must be a text, from 0 to 1',
      "write samplingRate: '0.1'",
    ),
  ]
}

function lintAllowed(resource: Resource, spec: Record<string, unknown>): Finding[] {
  const rules = list(record(spec['api'])['allowed'])
  if (rules.length === 0) {
    return [
      about(
        resource,
        'allows the whole Dapr API, shutdown included',
        'list what is used under spec.api.allowed',
      ),
    ]
  }
  const isAllowed = (name: string, version: string) =>
    rules.some((rule) => rule['name'] === name && rule['version'] === version && rule['protocol'] === 'http')
  return Object.entries(CALLED)
    .filter(([name, version]) => !isAllowed(name, version))
    .map(([name, version]) =>
      about(
        resource,
        `does not allow ${name} ${version}, which shared/dapr calls`,
        `add { name: ${name}, version: ${version}, protocol: http }`,
      ),
    )
}

function lintAccess(resource: Resource, spec: Record<string, unknown>, code: Code): Finding[] {
  const access = spec['accessControl']
  if (access === undefined) return []
  const { defaultAction, policies } = record(access)
  const findings = list(policies)
    .map((policy) => text(policy['appId']))
    .filter((appId) => !isKnownUnit(code, appId))
    .map((appId) =>
      about(resource, `has access rules for ${appId}, which is no unit`, 'use the app-id of a unit'),
    )
  if (defaultAction === 'deny') return findings
  return [
    ...findings,
    about(resource, 'lets every app call every other', 'write accessControl.defaultAction: deny'),
  ]
}

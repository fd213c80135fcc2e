import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../testing/worlds/source-files.ts'
import { lintFiles } from './lint-components/lint.ts'

const KAFKA = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - { name: brokers, envRef: BROKERS }
    - { name: authType, value: none }
    - { name: initialOffset, value: oldest }
scopes: [tasks-api, tasks-worker, edge]
`
const CRON = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: purge-expired-cron }
spec:
  type: bindings.cron
  version: v1
  metadata:
    - { name: schedule, value: '@every 1h' }
    - { name: route, value: /dapr/cron/purge-expired-cron }
    - { name: direction, value: input }
scopes: [tasks-worker]
`
const SECRETS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: secretstore }
spec: { type: secretstores.local.env, version: v1, metadata: [] }
scopes: [tasks-api]
`
const STATE = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: statestore }
spec:
  type: state.postgresql
  version: v2
  metadata:
    - { name: connectionString, envRef: DATABASE_URL }
scopes: [tasks-api]
`
const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: main }
scopes: [tasks-worker]
spec:
  policies:
    timeouts: { call: 5s }
    retries:
      delivery: { policy: exponential, maxInterval: 5m, maxRetries: 14 }
      invocation: { policy: constant, duration: 2s, maxRetries: 3, matching: { httpStatusCodes: '502,504' } }
    circuitBreakers:
      breaker: { trip: consecutiveFailures >= 5 }
  targets:
    apps:
      tasks-api: { timeout: call, retry: invocation, circuitBreaker: breaker }
    components:
      pubsub: { inbound: { retry: delivery }, outbound: { timeout: call, circuitBreaker: breaker } }
`
const CONFIGURATION = `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: main }
spec:
  tracing: { samplingRate: '0.1' }
`
const VARIANT = KAFKA.replace('authType, value: none', 'authType, value: password').replace(
  'scopes:',
  'auth: { secretStore: secretstore }\nscopes:',
)

const FILES = {
  'components/pubsub.yaml': KAFKA,
  'components/cron.yaml': CRON,
  'components/secretstore.yaml': SECRETS,
  'components/statestore.yaml': STATE,
  'components/resiliency.yaml': RESILIENCY,
  'configuration/main.yaml': CONFIGURATION,
  'variants/pubsub-sasl.yaml': VARIANT,
}
type File = keyof typeof FILES | 'components/more.yaml'

/** What the linter says once the text of one file is another. */
function findings(file: File, text: string): string[] {
  const files = Object.entries({ ...FILES, [file]: text }).map(([name, content]) => ({
    file: name,
    text: content,
  }))
  return lintFiles(files).map((finding) => {
    expect(finding.remedy).not.toBe('')
    return `${finding.file}: ${finding.resource} ${finding.problem}`
  })
}

/** The same with a piece of the file's text replaced; the piece must be there. */
function edited(file: keyof typeof FILES, piece: string, replacement: string): string[] {
  expect(FILES[file]).toContain(piece)
  return findings(file, FILES[file].replace(piece, replacement))
}

/** What each file can get wrong: a piece of its text, what stands there instead, and what is said of it. */
const FAULTS: Record<
  keyof typeof FILES,
  [what: string, piece: string, replacement: string, problem: string][]
> = {
  'components/pubsub.yaml': [
    ['a component without a type', 'type: pubsub.kafka', '', 'no spec.type'],
    ['a type there is not', 'pubsub.kafka', 'pubsub.kafak', 'unknown type pubsub.kafak'],
    ['a version there is not', 'version: v1', 'version: v7', 'version v7, which pubsub.kafka'],
    ['a misspelt setting', 'name: brokers', 'name: broker', 'sets broker, which pubsub.kafka'],
    ['a topic read from its end', 'value: oldest', 'value: newest', 'loses what was published'],
    ['a default offset', '- { name: initialOffset, value: oldest }', '', 'loses what was'],
    [
      'a consumer group that all units share',
      'name: authType, value: none',
      'name: consumerGroup, value: daybook',
      'sets consumerGroup',
    ],
  ],
  'components/cron.yaml': [
    ['text that is no YAML', 'kind: Component', 'kind: [', ': document is no YAML'],
    ['a kind that Dapr skips', 'kind: Component', 'kind: Componnet', 'Dapr skips'],
    ['a resource without a name', '{ name: purge-expired-cron }', '{}', 'no metadata.name'],
    [
      'metadata that is set twice',
      '- { name: direction, value: input }',
      '- { name: direction, value: input }\n    - { name: Direction, value: output }',
      'sets direction twice',
    ],
    ['a binding without a direction', '- { name: direction, value: input }', '', 'has no direction'],
    ['a direction there is not', 'value: input', 'value: in', 'the direction in'],
    ['a cron binding that is an output', 'value: input', 'value: output', 'direction output'],
    [
      'a schedule that Dapr cannot read',
      '@every 1h',
      'every 10s',
      'the schedule every 10s, which Dapr cannot read (expected exactly 6 fields, found 2',
    ],
    ['an interval that is none', '@every 1h', '@every hour', 'the schedule @every hour, which'],
  ],
  'components/secretstore.yaml': [['a component without a version', ', version: v1', '', 'no spec.version']],
  'components/statestore.yaml': [
    ['the first version of the state store', 'version: v2', 'version: v1', 'version v1'],
    [
      'a secret in plain text',
      'envRef: DATABASE_URL',
      'value: postgres://u:p@h/d',
      'holds connectionString in plain text',
    ],
    [
      'a secret without a store to take it from',
      'envRef: DATABASE_URL',
      'secretKeyRef: { name: db, key: db }',
      'without auth.secretStore',
    ],
    [
      'secrets of a store that is none',
      'envRef: DATABASE_URL }',
      'secretKeyRef: { name: db, key: db } }\nauth: { secretStore: pubsub }',
      'is no secret store',
    ],
  ],
  'components/resiliency.yaml': [
    ['an undeclared timeout', 'timeout: call, retry', 'timeout: cal, retry', 'undeclared timeout cal'],
    ['an undeclared retry', 'retry: delivery', 'retry: deliver', 'undeclared retry deliver'],
    [
      'an undeclared circuit breaker, which crashes daprd',
      'call, circuitBreaker: breaker } }',
      'call, circuitBreaker: brake } }',
      'undeclared circuitBreaker brake; daprd crashes',
    ],
    [
      'a duration where a name is wanted',
      'outbound: { timeout: call',
      'outbound: { timeout: 5s',
      'timeout 5s, where Dapr wants a name',
    ],
    ['a name where a duration is wanted', 'call: 5s', 'call: soon', 'timeout call is soon'],
    ['a retry without a policy', 'policy: constant, ', '', 'no policy that Dapr knows'],
    ['a retry that waits no duration', 'duration: 2s', 'duration: 2 s', 'the duration 2 s'],
    ['a breaker that never opens', '{ trip: consecutiveFailures >= 5 }', '{}', 'no condition'],
    ['a breaker on a count there is not', 'trip: consecutiveFailures', 'trip: failures', 'no condition'],
    ['a target that is no component', '      pubsub: {', '      broker: {', 'which is no component'],
    ['targets beside the spec', '  targets:\n    apps:', 'targets:\n    apps:', 'has targets beside spec'],
    [
      'a direction under apps',
      'tasks-api: { timeout: call,',
      'tasks-api: { outbound: { timeout: call },',
      'has apps.tasks-api.outbound, which Dapr ignores',
    ],
    [
      'a policy of a component without a direction',
      'pubsub: { inbound:',
      'pubsub: { timeout: call, inbound:',
      'has components.pubsub.timeout, which Dapr ignores',
    ],
    [
      'a breaker of deliveries, which stops publishing',
      'inbound: { retry: delivery }',
      'inbound: { retry: delivery, circuitBreaker: breaker }',
      'inbound has a circuit breaker',
    ],
    ['dead letters without a retry', 'inbound: { retry: delivery }', 'inbound: {}', 'has no inbound retry'],
    ['retries without an end', 'maxInterval: 5m, maxRetries: 14', 'maxInterval: 5m', 'retried without end'],
    [
      'calls that are repeated whatever the answer',
      ", matching: { httpStatusCodes: '502,504' }",
      '',
      'whatever the app answers',
    ],
    [
      'a breaker that any client can open',
      'scopes: [tasks-worker]',
      'scopes: [edge]',
      'shut the route for all',
    ],
  ],
  'configuration/main.yaml': [['a sampling rate that is a number', "'0.1'", '0.1', 'tracing.samplingRate']],
  'variants/pubsub-sasl.yaml': [
    ['a misspelt setting of a variant', 'name: brokers', 'name: broker', 'sets broker,'],
    ['a variant of nothing', 'name: pubsub', 'name: broker', 'takes the place of nothing'],
    ['a variant of another family', 'pubsub.kafka', 'state.redis', 'is a state.redis in the place of'],
  ],
}
const faults = Object.entries(FAULTS).flatMap(([file, rows]) => rows.map((row) => [file, ...row] as const))

describe('the component linter', () => {
  it('has nothing to say about files that are in order', () => {
    expect(findings('components/pubsub.yaml', KAFKA)).toEqual([])
  })

  it('has nothing to say about the files of Daybook', () => {
    const program = [
      process.execPath,
      ['scripts/lint-components.ts'],
      { cwd: ROOT, encoding: 'utf8' },
    ] as const
    expect(() => execFileSync(...program)).not.toThrow()
  })

  it.each(faults)('finds in %s %s', (...[file, , piece, replacement, problem]) => {
    expect(edited(file as keyof typeof FILES, piece, replacement).join('\n')).toContain(problem)
  })

  it('finds two components of one name', () => {
    expect(findings('components/more.yaml', KAFKA)).toEqual([
      expect.stringContaining('Component pubsub has the name of one in components/pubsub.yaml'),
    ])
  })

  it('finds a policy that two documents declare, for the last one wins', () => {
    const more = RESILIENCY.replace('name: main', 'name: more')
    expect(findings('components/more.yaml', more).join('\n')).toContain(
      'declares the timeout call of main once more',
    )
  })

  it('finds a second Resiliency document in a file, for daprd reads the first only', () => {
    const second = RESILIENCY.replace('name: main', 'name: more')
    const found = findings('components/resiliency.yaml', `${RESILIENCY}---${second}`).join('\n')
    expect(found).toContain('Resiliency more is not the first of its file')
  })
})

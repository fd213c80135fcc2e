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

  it.each<[what: string, file: keyof typeof FILES, piece: string, replacement: string, problem: string]>([
    ['text that is no YAML', 'components/cron.yaml', 'kind: Component', 'kind: [', ': document is no YAML'],
    ['a kind that Dapr skips', 'components/cron.yaml', 'kind: Component', 'kind: Componnet', 'Dapr skips'],
    [
      'a resource without a name',
      'components/cron.yaml',
      '{ name: purge-expired-cron }',
      '{}',
      'no metadata.name',
    ],
    ['a component without a type', 'components/pubsub.yaml', 'type: pubsub.kafka', '', 'no spec.type'],
    ['a component without a version', 'components/secretstore.yaml', ', version: v1', '', 'no spec.version'],
    [
      'metadata that is set twice',
      'components/cron.yaml',
      '- { name: direction, value: input }',
      '- { name: direction, value: input }\n    - { name: Direction, value: output }',
      'sets direction twice',
    ],
    [
      'a binding without a direction',
      'components/cron.yaml',
      '- { name: direction, value: input }',
      '',
      'has no direction',
    ],
    ['a direction there is not', 'components/cron.yaml', 'value: input', 'value: in', 'the direction in'],
    [
      'a cron binding that is an output',
      'components/cron.yaml',
      'value: input',
      'value: output',
      'direction output',
    ],
    [
      'a type there is not',
      'components/pubsub.yaml',
      'pubsub.kafka',
      'pubsub.kafak',
      'unknown type pubsub.kafak',
    ],
    [
      'a version there is not',
      'components/pubsub.yaml',
      'version: v1',
      'version: v7',
      'version v7, which pubsub.kafka',
    ],
    [
      'a misspelt setting',
      'components/pubsub.yaml',
      'name: brokers',
      'name: broker',
      'sets broker, which pubsub.kafka',
    ],
    [
      'a misspelt setting of a variant',
      'variants/pubsub-sasl.yaml',
      'name: brokers',
      'name: broker',
      'sets broker,',
    ],
    [
      'a schedule that Dapr cannot read',
      'components/cron.yaml',
      '@every 1h',
      'every 10s',
      'the schedule every 10s, which Dapr cannot read (expected exactly 6 fields, found 2',
    ],
    [
      'an interval that is none',
      'components/cron.yaml',
      '@every 1h',
      '@every hour',
      'the schedule @every hour, which',
    ],
    [
      'a topic read from its end',
      'components/pubsub.yaml',
      'value: oldest',
      'value: newest',
      'loses what was published',
    ],
    [
      'a default offset',
      'components/pubsub.yaml',
      '- { name: initialOffset, value: oldest }',
      '',
      'loses what was',
    ],
    [
      'a consumer group that all units share',
      'components/pubsub.yaml',
      'name: authType, value: none',
      'name: consumerGroup, value: daybook',
      'sets consumerGroup',
    ],
    [
      'the first version of the state store',
      'components/statestore.yaml',
      'version: v2',
      'version: v1',
      'version v1',
    ],
    [
      'a secret in plain text',
      'components/statestore.yaml',
      'envRef: DATABASE_URL',
      'value: postgres://u:p@h/d',
      'holds connectionString in plain text',
    ],
    [
      'a secret without a store to take it from',
      'components/statestore.yaml',
      'envRef: DATABASE_URL',
      'secretKeyRef: { name: db, key: db }',
      'without auth.secretStore',
    ],
    [
      'secrets of a store that is none',
      'components/statestore.yaml',
      'envRef: DATABASE_URL }',
      'secretKeyRef: { name: db, key: db } }\nauth: { secretStore: pubsub }',
      'is no secret store',
    ],
    [
      'a variant of nothing',
      'variants/pubsub-sasl.yaml',
      'name: pubsub',
      'name: broker',
      'takes the place of nothing',
    ],
    [
      'a variant of another family',
      'variants/pubsub-sasl.yaml',
      'pubsub.kafka',
      'state.redis',
      'is a state.redis in the place of',
    ],
    [
      'an undeclared timeout',
      'components/resiliency.yaml',
      'timeout: call, retry',
      'timeout: cal, retry',
      'undeclared timeout cal',
    ],
    [
      'an undeclared retry',
      'components/resiliency.yaml',
      'retry: delivery',
      'retry: deliver',
      'undeclared retry deliver',
    ],
    [
      'an undeclared circuit breaker, which crashes daprd',
      'components/resiliency.yaml',
      'call, circuitBreaker: breaker } }',
      'call, circuitBreaker: brake } }',
      'undeclared circuitBreaker brake; daprd crashes',
    ],
    [
      'a duration where a name is wanted',
      'components/resiliency.yaml',
      'outbound: { timeout: call',
      'outbound: { timeout: 5s',
      'timeout 5s, where Dapr wants a name',
    ],
    [
      'a name where a duration is wanted',
      'components/resiliency.yaml',
      'call: 5s',
      'call: soon',
      'timeout call is soon',
    ],
    [
      'a retry without a policy',
      'components/resiliency.yaml',
      'policy: constant, ',
      '',
      'no policy that Dapr knows',
    ],
    [
      'a retry that waits no duration',
      'components/resiliency.yaml',
      'duration: 2s',
      'duration: 2 s',
      'the duration 2 s',
    ],
    [
      'a breaker that never opens',
      'components/resiliency.yaml',
      '{ trip: consecutiveFailures >= 5 }',
      '{}',
      'no condition',
    ],
    [
      'a breaker on a count there is not',
      'components/resiliency.yaml',
      'trip: consecutiveFailures',
      'trip: failures',
      'no condition',
    ],
    [
      'a target that is no component',
      'components/resiliency.yaml',
      '      pubsub: {',
      '      broker: {',
      'which is no component',
    ],
    [
      'targets beside the spec',
      'components/resiliency.yaml',
      '  targets:\n    apps:',
      'targets:\n    apps:',
      'has targets beside spec',
    ],
    [
      'a direction under apps',
      'components/resiliency.yaml',
      'tasks-api: { timeout: call,',
      'tasks-api: { outbound: { timeout: call },',
      'has apps.tasks-api.outbound, which Dapr ignores',
    ],
    [
      'a policy of a component without a direction',
      'components/resiliency.yaml',
      'pubsub: { inbound:',
      'pubsub: { timeout: call, inbound:',
      'has components.pubsub.timeout, which Dapr ignores',
    ],
    [
      'a breaker of deliveries, which stops publishing',
      'components/resiliency.yaml',
      'inbound: { retry: delivery }',
      'inbound: { retry: delivery, circuitBreaker: breaker }',
      'inbound has a circuit breaker',
    ],
    [
      'dead letters without a retry',
      'components/resiliency.yaml',
      'inbound: { retry: delivery }',
      'inbound: {}',
      'has no inbound retry',
    ],
    [
      'retries without an end',
      'components/resiliency.yaml',
      'maxInterval: 5m, maxRetries: 14',
      'maxInterval: 5m',
      'retried without end',
    ],
    [
      'calls that are repeated whatever the answer',
      'components/resiliency.yaml',
      ", matching: { httpStatusCodes: '502,504' }",
      '',
      'whatever the app answers',
    ],
    [
      'a breaker that any client can open',
      'components/resiliency.yaml',
      'scopes: [tasks-worker]',
      'scopes: [edge]',
      'shut the route for all',
    ],
    ['a sampling rate that is a number', 'configuration/main.yaml', "'0.1'", '0.1', 'tracing.samplingRate'],
  ])('finds %s', (_, ...[file, piece, replacement, problem]) => {
    expect(edited(file, piece, replacement).join('\n')).toContain(problem)
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

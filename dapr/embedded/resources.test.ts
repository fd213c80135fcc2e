import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { componentsOf, metadataValue, parseResources, readResources, resourcesForApps } from './resources.ts'
import { retryDelay } from './resiliency.ts'

const COMPONENTS = join(import.meta.dirname, '../components')

const component = (name: string, more = '') => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: state.postgresql, version: v2, metadata: [{ name: timeout, value: 5 }, { name: password, envRef: SECRET }] }
${more}`

const resiliency = (spec: string) => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: test }
spec: ${spec}`

const parse = (...texts: string[]) =>
  parseResources(texts.map((text, index) => ({ file: `${index}.yaml`, text })))

describe('the component files of Daybook', () => {
  it('are valid, and name what the product uses', async () => {
    const { components } = await readResources(COMPONENTS)
    const [ticking, others] = [true, false].map((isCron) =>
      components.filter(({ type }) => (type === 'bindings.cron') === isCron),
    )
    expect(others?.map(({ name, type }) => `${name} ${type}`).toSorted()).toEqual([
      'conversation conversation.echo',
      'mail bindings.http',
      'pubsub pubsub.kafka',
      'push bindings.http',
      'secretstore secretstores.local.env',
      'statestore state.postgresql',
    ])
    expect(ticking?.map(({ name }) => name)).toContain('relay-events-cron')
    for (const binding of ticking ?? []) {
      expect(metadataValue(binding, 'route', {})).toBe(`/dapr/cron/${binding.name}`)
      expect(metadataValue(binding, 'direction', {})).toBe('input')
    }
  })

  it('retry a delivery for about five minutes, then give up', async () => {
    const { retry, timeoutMs } = (await readResources(COMPONENTS)).resiliency.inbound('pubsub')
    expect(timeoutMs).toBe(30_000)
    const delays = Array.from({ length: 20 }, (_, index) => retryDelay(retry, index + 1, 0.5))
    const used = delays.filter((ms) => ms !== null)
    expect(used.slice(0, 3)).toEqual([500, 750, 1125])
    expect(used).toHaveLength(14)
    expect(used.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(291_000, -4)
  })
})

describe('parseResources', () => {
  it('gives an app the components in its scope', () => {
    const resources = parse(
      component('open'),
      component('mine', 'scopes: [tasks-api]'),
      component('theirs', 'scopes: [other]'),
    )
    expect(componentsOf(resources, 'tasks-api').map(({ name }) => name)).toEqual(['open', 'mine'])
  })

  it('gives a sidecar that stands for several apps what any of them may use, and nothing else', () => {
    const resources = parse(
      component('open'),
      component('mine', 'scopes: [tasks-api]'),
      component('ours', 'scopes: [auth-api, tasks-api]'),
      component('theirs', 'scopes: [other]'),
    )
    const own = resourcesForApps(resources, ['tasks-api', 'auth-api'])
    expect(componentsOf(own, 'daybook').map(({ name }) => name)).toEqual(['open', 'mine', 'ours'])
  })

  it('reads values of any kind and those from the environment', () => {
    const [only] = parse(component('one')).components
    expect(metadataValue(only!, 'Timeout', {})).toBe('5')
    expect(metadataValue(only!, 'password', { SECRET: 'x' })).toBe('x')
    expect(metadataValue(only!, 'absent', {})).toBeUndefined()
  })

  it.each([
    ['two components of one name', [component('one'), component('one')], 'two components are named one'],
    ['text that is no YAML', ['kind: [Component'], '0.yaml'],
    [
      'an undeclared retry policy',
      [resiliency('{ targets: { components: { pubsub: { inbound: { retry: nope } } } } }')],
      'undeclared retry nope',
    ],
    [
      'an undeclared circuit breaker',
      [resiliency('{ targets: { apps: { a: { circuitBreaker: nope } } } }')],
      'undeclared circuitBreaker nope',
    ],
    [
      'an inbound circuit breaker',
      [
        resiliency(
          '{ policies: { circuitBreakers: { cb: {} } }, targets: { components: { p: { inbound: { circuitBreaker: cb } } } } }',
        ),
      ],
      'inbound circuit breaker',
    ],
    [
      'a policy that it does not know how to follow',
      [
        resiliency(
          '{ policies: { retries: { r: { matching: { httpStatusCodes: "500" } } } }, targets: { components: { p: { inbound: { retry: r } } } } }',
        ),
      ],
      'matching',
    ],
  ])('refuses %s', (_, texts, message) => {
    expect(() => parse(...texts)).toThrow(message)
  })
})

describe('retryDelay', () => {
  const policies = (retry: string) =>
    parse(
      resiliency(
        `{ policies: { retries: { r: ${retry} } }, targets: { components: { p: { inbound: { retry: r } } } } }`,
      ),
    ).resiliency.inbound('p').retry

  it('is the same each time for a constant policy, for ever without a limit', () => {
    const retry = policies('{ policy: constant, duration: 3s }')
    expect([1, 2, 1000].map((failures) => retryDelay(retry, failures, 0.9))).toEqual([3000, 3000, 3000])
  })

  it('grows by half up to the longest interval and spreads by half for an exponential policy', () => {
    const retry = policies('{ policy: exponential, maxInterval: 1s, maxRetries: 4 }')
    expect([1, 2, 3, 4, 5].map((failures) => retryDelay(retry, failures, 0.5))).toEqual([
      500,
      750,
      1000,
      1000,
      null,
    ])
    expect(retryDelay(retry, 1, 0)).toBe(250)
    expect(retryDelay(retry, 1, 0.999)).toBeCloseTo(750, -1)
  })

  it('is none without a policy', () => {
    expect(retryDelay(null, 1, 0.5)).toBeNull()
  })
})

import { describe, expect, it } from 'vitest'
import { daprFailure, json, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()

describe('health.outbound', () => {
  it('is true when the sidecar takes calls', async () => {
    const seen = answerWith(noContent)
    expect(await dapr.health.outbound()).toBe(true)
    expect(seen[0]).toMatchObject({ method: 'GET', target: '/v1.0/healthz/outbound' })
  })

  it.each([
    ['is not ready', daprFailure(500, 'ERR_OUTBOUND_HEALTH_NOT_READY', 'dapr outbound is not ready')],
    ['is away', () => Response.error()],
  ])('is false when the sidecar %s', async (_, answer) => {
    answerWith(answer)
    expect(await dapr.health.outbound()).toBe(false)
  })
})

describe('health.metadata', () => {
  it('gives app-id, version and components', async () => {
    const pubsub = { name: 'pubsub', type: 'pubsub.kafka', version: 'v1' }
    const seen = answerWith(
      json({
        id: 'tasks-api',
        runtimeVersion: '1.18.2',
        components: [{ ...pubsub, capabilities: [] }],
        actorRuntime: {},
      }),
    )
    expect(await dapr.health.metadata()).toEqual({
      id: 'tasks-api',
      runtimeVersion: '1.18.2',
      components: [pubsub],
    })
    expect(seen[0]?.target).toBe('/v1.0/metadata')
  })

  it('reads an answer whose empty fields are left out', async () => {
    answerWith(json({}))
    expect(await dapr.health.metadata()).toEqual({ id: '', runtimeVersion: '', components: [] })
  })
})

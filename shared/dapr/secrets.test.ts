import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { daprFailure, json, mockSidecar, noContent } from '../../testing/worlds/mock-sidecar.ts'

const { dapr, answerWith } = mockSidecar()

describe('secrets', () => {
  it('gives the values of one secret', async () => {
    const seen = answerWith(json({ user: 'app', password: 'p' }))
    expect(await dapr.secrets.get('secretstore', 'database')).toEqual({ user: 'app', password: 'p' })
    expect(seen[0]).toMatchObject({ method: 'GET', target: '/v1.0/secrets/secretstore/database' })
  })

  it('gives all secrets by name', async () => {
    const seen = answerWith(json({ database: { password: 'p' }, mail: { key: 'm' } }))
    expect(await dapr.secrets.bulk('secretstore')).toEqual({
      database: { password: 'p' },
      mail: { key: 'm' },
    })
    expect(seen[0]?.target).toBe('/v1.0/secrets/secretstore/bulk')
  })

  it('gives nothing on 204', async () => {
    answerWith(noContent)
    expect(await dapr.secrets.get('secretstore', 'x')).toEqual({})
    expect(await dapr.secrets.bulk('secretstore')).toEqual({})
  })

  it('throws on an unknown store', async () => {
    answerWith(daprFailure(401, 'ERR_SECRET_STORE_NOT_FOUND', 'failed finding secret store with key x'))
    await expect(dapr.secrets.get('x', 'y')).rejects.toMatchObject({
      status: 401,
      errorCode: 'ERR_SECRET_STORE_NOT_FOUND',
    })
  })

  it.each([
    ['is cut short', () => new Response('{"password":"hunter2')],
    ['has another shape', json({ password: ['hunter2'] })],
  ])('never shows a secret in the error when the answer %s', async (_, answer) => {
    answerWith(answer)
    const error: unknown = await dapr.secrets
      .get('secretstore', 'database')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'malformed' })
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  })
})

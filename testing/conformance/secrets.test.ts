import { beforeAll, describe, expect, it } from 'vitest'
import { component } from './harness/components.ts'
import { refusalOf } from './harness/refusal.ts'
import { startSidecar, type Driver } from './harness/sidecar.ts'

let dapr: Driver

beforeAll(async () => {
  const file = { secretsFile: 'secrets.json' }
  dapr = await startSidecar({
    hasPubsub: false,
    env: { DAYBOOK_SECRET_KEY: 'k', DAYBOOK_SECRET_OTHER: 'o' },
    secrets: { smtp: { user: 'u', password: 'p' }, plain: 'x' },
    appToken: 'for-the-app',
    resources: [
      component('fromenv', 'secretstores.local.env', { prefix: 'DAYBOOK_SECRET_' }),
      component('anyenv', 'secretstores.local.env'),
      component('fromfile', 'secretstores.local.file', file),
      component('multi', 'secretstores.local.file', { ...file, multiValued: 'true' }),
    ],
  })
})

const secret = async (path: string): Promise<unknown> =>
  await (await dapr.call(`/v1.0/secrets/${path}`)).json()

describe('secrets', () => {
  it('come from the environment, under the prefix', async () => {
    expect(await secret('fromenv/KEY')).toEqual({ KEY: 'k' })
    expect(await secret('fromenv/bulk')).toEqual({ KEY: { KEY: 'k' }, OTHER: { OTHER: 'o' } })
  })

  it('are empty, not an error, for a variable that is not set', async () => {
    expect(await secret('fromenv/ABSENT')).toEqual({ ABSENT: '' })
  })

  it('never hold the tokens of Dapr', async () => {
    expect(await secret('anyenv/APP_API_TOKEN')).toEqual({ APP_API_TOKEN: '' })
    expect(await secret('anyenv/bulk')).not.toHaveProperty('APP_API_TOKEN')
  })

  it('come from a file, nested names joined or kept together', async () => {
    expect(await secret('fromfile/smtp:password')).toEqual({ 'smtp:password': 'p' })
    expect(await secret('fromfile/bulk')).toEqual({
      'smtp:user': { 'smtp:user': 'u' },
      'smtp:password': { 'smtp:password': 'p' },
      plain: { plain: 'x' },
    })
    expect(await secret('multi/smtp')).toEqual({ user: 'u', password: 'p' })
    expect(await secret('multi/bulk')).toEqual({ smtp: { user: 'u', password: 'p' }, plain: { plain: 'x' } })
  })

  it.each([
    [
      'an unknown store',
      'nowhere/key',
      '401 ERR_SECRET_STORE_NOT_FOUND failed finding secret store with key nowhere',
    ],
    [
      'a secret that is not in the file',
      'fromfile/absent',
      '500 ERR_SECRET_GET failed getting secret with key absent from secret store fromfile: secret absent not found',
    ],
  ])('answer an error for %s', async (_, path, error) => {
    expect(await refusalOf(await dapr.call(`/v1.0/secrets/${path}`))).toBe(error)
  })

  it('answer 500 when no store is configured', async () => {
    const bare = await startSidecar({ hasPubsub: false })
    expect(await refusalOf(await bare.call('/v1.0/secrets/any/key'))).toBe(
      '500 ERR_SECRET_STORES_NOT_CONFIGURED secret store is not configured',
    )
  })
})

import { describe, expect, it } from 'vitest'
import { createPushKeys } from '../../shared/channels/push-keys.ts'
import { createPushKeyStore } from '../../shared/db/notifications/push-key-store.ts'
import { systemClock, systemIds } from '../../shared/kit/system.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import getPushKey from './get-push-key.ts'

const { sql, deps } = await testDaybook()

type Secrets = Record<string, Record<string, string>>
const keysOf = (from: 'database' | 'secretstore', secrets: Secrets = {}) =>
  createPushKeys({
    from,
    store: createPushKeyStore(sql),
    clock: systemClock,
    secrets: { get: async (_, name) => secrets[name] ?? { [name]: '' } },
  })
const ofProcess = (pushKeys: ReturnType<typeof keysOf>) =>
  ask(getPushKey, { ...deps, pushKeys }, systemIds.uuid())

describe('GET /api/notifications/push-key', () => {
  it('is one key for all processes, made by the first that is asked, and kept', async () => {
    const first = await Promise.all(Array.from({ length: 5 }, () => ofProcess(keysOf('database'))))
    const [{ body }] = first as [(typeof first)[0]]
    expect(body).toEqual({ public_key: expect.stringMatching(/^B[\w-]{86}$/) as string })
    for (const { body: other } of first) expect(other).toEqual(body)
    expect((await ofProcess(keysOf('database'))).body).toEqual(body)
  })

  it('comes from the secret store where that is chosen', async () => {
    const secrets = { vapidpublickey: { vapidpublickey: 'pub' }, vapidprivatekey: { vapidprivatekey: 'prv' } }
    const keys = keysOf('secretstore', secrets)
    expect((await ofProcess(keys)).body).toEqual({ public_key: 'pub' })
    expect(await keys.get()).toEqual({ publicKey: 'pub', privateKey: 'prv' })
  })

  it('never falls back to another key when the secret store has none', async () => {
    expect(await ofProcess(keysOf('secretstore'))).toMatchObject({
      status: 503,
      body: { code: 'service.unavailable' },
    })
  })
})

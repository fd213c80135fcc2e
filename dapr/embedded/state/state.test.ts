import { describe, expect, it } from 'vitest'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { embeddedSidecar, type Driver } from '../../../testing/sidecar/embedded-sidecar.ts'
import { createManualTime } from '../../../testing/sidecar/manual-time.ts'

const base = '/v1.0/state/statestore'
const post = (path: string, body: unknown, driver: Driver) =>
  driver.call(path, { method: 'POST', body: JSON.stringify(body) })
const get = (key: string, driver: Driver) => driver.call(`${base}/${key}`)

// Everything else about state: testing/conformance/state.test.ts.
describe('state', () => {
  it('forgets a value when its time to live is over, and says when that is', async () => {
    const time = createManualTime('2026-05-01T12:00:00Z')
    const driver = await embeddedSidecar(await testDatabase(), {
      appId: 'ttl',
      clock: time,
      delay: time.delay,
    })
    await post(base, [{ key: 'brief', value: 1, metadata: { ttlInSeconds: '60' } }], driver)
    const before = await get('brief', driver)
    expect(before.status).toBe(200)
    expect(before.headers.get('metadata.ttlexpiretime')).toBe('2026-05-01T12:01:00Z')
    await time.advance(61_000)
    expect((await get('brief', driver)).status).toBe(204)
    const again = { key: 'brief', value: 2, options: { concurrency: 'first-write' } }
    expect((await post(base, [again], driver)).status).toBe(204)
    await time.advance(3_600_000)
    expect(await (await get('brief', driver)).json()).toBe(2)
  })
})

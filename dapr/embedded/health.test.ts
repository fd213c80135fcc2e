import { describe, expect, it } from 'vitest'
import { testDatabase } from '../../testing/worlds/database.ts'
import { embeddedSidecar } from '../../testing/sidecar/embedded-sidecar.ts'

describe('health', () => {
  it('is ready for calls before the app is asked, and ready at all afterwards', async () => {
    const dapr = await embeddedSidecar(await testDatabase(), { isStarted: false })
    expect((await dapr.call('/v1.0/healthz')).status).toBe(500)
    expect((await dapr.call('/v1.0/healthz/outbound')).status).toBe(500)
    await dapr.sidecar.start()
    expect((await dapr.call('/v1.0/healthz')).status).toBe(204)
    expect((await dapr.call('/v1.0/healthz/outbound')).status).toBe(204)
    expect((await dapr.call('/v1.0/healthz?appid=someone')).status).toBe(500)
  })
})

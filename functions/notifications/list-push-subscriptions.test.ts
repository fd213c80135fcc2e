import { describe, expect, it } from 'vitest'
import { systemIds } from '../../shared/kit/system.ts'
import { aBrowser, added, listed } from '../../testing/worlds/push-service.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'

const { deps, clock } = await testDaybook()

describe('GET /api/notifications/push-subscriptions', () => {
  it("lists the caller's devices, oldest first, and nobody else's", async () => {
    const [ada, eve] = [systemIds.uuid(), systemIds.uuid()]
    const first = await added(deps, ada, aBrowser())
    clock.advance(1000)
    const second = await added(deps, ada, { fcm_token: `token:${ada}` })
    expect(await listed(deps, ada)).toEqual([first, second])
    expect(await listed(deps, eve)).toEqual([])
  })
})

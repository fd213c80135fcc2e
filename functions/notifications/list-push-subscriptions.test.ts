import { describe, expect, it } from 'vitest'
import { systemIds } from '../../shared/kit/system.ts'
import { requiresLogin } from '../../shared/testing/obligations.ts'
import listPushSubscriptions from './list-push-subscriptions.ts'
import { aBrowser, added, listed, pushService } from './testing/push-service.ts'

const deps = await pushService()

describe('GET /api/notifications/push-subscriptions', () => {
  requiresLogin(listPushSubscriptions)

  it("lists the caller's devices, oldest first, and nobody else's", async () => {
    const [ada, eve] = [systemIds.uuid(), systemIds.uuid()]
    const first = await added(deps, ada, aBrowser())
    deps.clock.advance(1000)
    const second = await added(deps, ada, { fcm_token: `token:${ada}` })
    expect(await listed(deps, ada)).toEqual([first, second])
    expect(await listed(deps, eve)).toEqual([])
  })
})

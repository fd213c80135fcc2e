import { describe, expect, it } from 'vitest'
import { systemIds } from '../../shared/kit/system.ts'
import { ask } from '../../testing/worlds/ask-function.ts'
import removePushSubscription from './remove-push-subscription.ts'
import { aBrowser, added, listed } from '../../testing/worlds/push-service.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'

const { deps } = await testDaybook()
const remove = (userId: string, id: string) => ask(removePushSubscription, deps, userId, { id })

describe('DELETE /api/notifications/push-subscriptions/:id', () => {
  it('forgets a device, after which it is not found', async () => {
    const user = systemIds.uuid()
    const [browser, other] = [await added(deps, user, aBrowser()), await added(deps, user, aBrowser())]
    expect((await remove(user, browser.id)).status).toBe(204)
    expect(await listed(deps, user)).toEqual([other])
    expect(await remove(user, browser.id)).toMatchObject({
      status: 404,
      body: { code: 'subscription.not_found' },
    })
  })

  it('lets a device be added again', async () => {
    const [user, browser] = [systemIds.uuid(), aBrowser()]
    const first = await added(deps, user, browser)
    await remove(user, first.id)
    const second = await added(deps, user, browser)
    expect(second.id).not.toBe(first.id)
  })
})

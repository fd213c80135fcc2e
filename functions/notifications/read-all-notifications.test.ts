import { describe, expect, it } from 'vitest'
import { givenWorld } from '../../shared/testing/api-world.ts'

const world = await givenWorld()

describe('read-all-notifications', () => {
  it('marks all as read, says how many were not, and does nothing when it is asked again', async () => {
    const person = await world.register()
    const ids = [await world.notify(person), await world.notify(person), await world.notify(person)]
    const read = await world.have(person, 'POST', `/api/notifications/${ids[0]!}/read`)
    expect(await world.have(person, 'POST', '/api/notifications/read-all')).toEqual({ read: 2 })
    expect(await world.have(person, 'POST', '/api/notifications/read-all')).toEqual({ read: 0 })
    const { items, unread } = await world.have(person, 'GET', '/api/notifications')
    expect(unread).toBe(0)
    expect((items as unknown[]).at(-1)).toEqual(read)
    expect(items as { read_at: string | null }[]).not.toContainEqual(
      expect.objectContaining({ read_at: null }),
    )
  })

  it("leaves another user's unread", async () => {
    const [one, other] = [await world.register(), await world.register()]
    await world.notify(other)
    expect(await world.have(one, 'POST', '/api/notifications/read-all')).toEqual({ read: 0 })
    expect(await world.have(other, 'GET', '/api/notifications')).toMatchObject({ unread: 1 })
  })

  it('requires a login', async () => {
    expect((await world.ask('POST', '/api/notifications/read-all')).status).toBe(401)
  })
})

import { describe, expect, it } from 'vitest'
import { givenWorld } from '../../testing/worlds/api-world.ts'

const world = await givenWorld()
const UNKNOWN = '0199d0a0-0000-7000-8000-000000000000'

describe('read-notification', () => {
  it('marks one as read, and keeps the first time when it is asked again', async () => {
    const person = await world.register()
    const [id, other] = [await world.notify(person), await world.notify(person)]
    const first = await world.have(person, 'POST', `/api/notifications/${id}/read`)
    expect(first).toMatchObject({ id, read_at: expect.stringMatching(/Z$/) })
    const retries = await Promise.all(
      Array.from({ length: 5 }, () => world.have(person, 'POST', `/api/notifications/${id}/read`)),
    )
    for (const again of retries) expect(again).toEqual(first)
    const { items, unread } = await world.have(person, 'GET', '/api/notifications')
    expect([items, unread]).toMatchObject([[{ id: other, read_at: null }, first], 1])
  })

  it('requires a login', async () => {
    expect((await world.ask('POST', `/api/notifications/${UNKNOWN}/read`)).status).toBe(401)
  })
})

import { describe, expect, it } from 'vitest'
import { givenWorld } from '../../testing/worlds/api-world.ts'

const world = await givenWorld()

describe('read-all-notifications', () => {
  it('marks all as read, says how many were not, and does nothing when it is asked again', async () => {
    const person = await world.register()
    const ids = [await world.notify(person), await world.notify(person), await world.notify(person)]
    const read = await world.have(person, 'POST', `/api/notifications/${ids[0]!}/read`)
    expect(await world.have(person, 'POST', '/api/notifications/read-all')).toEqual({ read: 2, unread: 0 })
    expect(await world.have(person, 'POST', '/api/notifications/read-all')).toEqual({ read: 0, unread: 0 })
    const { items, unread } = await world.have(person, 'GET', '/api/notifications')
    expect(unread).toBe(0)
    expect((items as unknown[]).at(-1)).toEqual(read)
    expect(items as { read_at: string | null }[]).not.toContainEqual(
      expect.objectContaining({ read_at: null }),
    )
  })

  it('counts each once when many devices ask at once, and tells each reading in one event', async () => {
    const person = await world.register()
    for (let n = 0; n < 5; n += 1) await world.notify(person)
    const counts = await Promise.all(
      Array.from({ length: 5 }, () => world.have(person, 'POST', '/api/notifications/read-all')),
    )
    expect(counts.map(({ read }) => Number(read)).filter((read) => read > 0)).toEqual([5])
    const events = (await world.eventsOf(person)).filter(({ type }) => type === 'notification.read')
    expect(
      events.map(({ data }) => (data as { notification_ids: string[] }).notification_ids.length),
    ).toEqual([5])
  })

  it("leaves another user's unread", async () => {
    const [one, other] = [await world.register(), await world.register()]
    await world.notify(other)
    expect(await world.have(one, 'POST', '/api/notifications/read-all')).toEqual({ read: 0, unread: 0 })
    expect(await world.have(other, 'GET', '/api/notifications')).toMatchObject({ unread: 1 })
  })

  it('requires a login', async () => {
    expect((await world.ask('POST', '/api/notifications/read-all')).status).toBe(401)
  })
})

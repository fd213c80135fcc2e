import { describe, expect, it } from 'vitest'
import type { NotificationPage } from '../../shared/app/notifications/list-notifications.ts'
import type { Person } from '../../testing/worlds/api-client.ts'
import { givenWorld } from '../../testing/worlds/api-world.ts'

const world = await givenWorld()

const list = async (person: Person, query = '') =>
  (await world.have(person, 'GET', `/api/notifications${query}`)) as unknown as NotificationPage
const ids = ({ items }: NotificationPage) => items.map(({ id }) => id)

async function notified(count: number): Promise<{ person: Person; newestFirst: string[] }> {
  const person = await world.register()
  const written: string[] = []
  for (let n = 0; n < count; n += 1) written.push(await world.notify(person))
  return { person, newestFirst: written.toReversed() }
}

describe('list-notifications', () => {
  it('shows the newest first, all of them unread', async () => {
    const { person, newestFirst } = await notified(3)
    const page = await list(person)
    expect(ids(page)).toEqual(newestFirst)
    expect(page).toMatchObject({ unread: 3, next_cursor: null })
    expect(page.items[0]).toEqual({
      id: newestFirst[0],
      type: 'reminder',
      task_id: null,
      reminder_id: null,
      title: 'Pay rent',
      body: '',
      late: false,
      read_at: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  it('walks through all by cursor, whatever comes in between', async () => {
    const { person, newestFirst } = await notified(7)
    const walked: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await list(person, `?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
      walked.push(...ids(page))
      cursor = page.next_cursor
      await world.notify(person)
    }
    expect(walked).toEqual(newestFirst)
  })

  it('shows what is unread, and counts it on whichever page', async () => {
    const { person, newestFirst } = await notified(4)
    await world.have(person, 'POST', `/api/notifications/${newestFirst[1]!}/read`)
    const page = await list(person, '?unread=true&limit=2')
    expect(ids(page)).toEqual([newestFirst[0], newestFirst[2]])
    expect(page.unread).toBe(3)
    const rest = await list(person, `?unread=true&cursor=${page.next_cursor!}`)
    expect([ids(rest), rest.next_cursor]).toEqual([[newestFirst[3]], null])
    const all = await world.ask('GET', `/api/notifications?cursor=${page.next_cursor!}`, {
      token: person.token,
    })
    expect([all.status, JSON.parse(all.text)]).toMatchObject([422, { errors: [{ path: 'cursor' }] }])
  })

  it("shows nobody else's", async () => {
    await notified(2)
    expect(await list(await world.register())).toEqual({ items: [], unread: 0, next_cursor: null })
  })

  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  it.each([
    'limit=0',
    'limit=101',
    'unread=yes',
    'cursor=x',
    'cursor=',
    'page=2',
    `cursor=${cursor([1, 'x', 1])}`,
  ])('refuses ?%s', async (query) => {
    const { token } = await world.register()
    const got = await world.ask('GET', `/api/notifications?${query}`, { token })
    expect([got.status, JSON.parse(got.text)]).toMatchObject([422, { code: 'request.invalid' }])
  })

  it('requires a login', async () => {
    expect((await world.ask('GET', '/api/notifications')).status).toBe(401)
  })
})

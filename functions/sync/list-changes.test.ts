import { describe, expect, it } from 'vitest'
import type { Person } from '../../shared/testing/api-client.ts'
import { givenWorld } from '../../shared/testing/api-world.ts'

const world = await givenWorld()

interface Changes {
  items: { sequence: string; type: string; userid: string; subject: string }[]
  next_since: string
  has_more: boolean
}

const changes = async (person: Person, query = '') =>
  (await world.have(person, 'GET', `/api/changes${query}`)) as unknown as Changes

const addTasks = async (person: Person, count: number) => {
  for (let n = 1; n <= count; n += 1) await world.have(person, 'POST', '/api/tasks', { title: `Task ${n}` })
}

describe('list-changes', () => {
  it('walks through every change in order, without a gap, whatever the page size', async () => {
    const person = await world.register()
    await addTasks(person, 5)
    const walked: string[] = []
    for (let since = '0', more = true; more;) {
      const page = await changes(person, `?since=${since}&limit=2`)
      walked.push(...page.items.map(({ sequence }) => sequence))
      since = page.next_since
      more = page.has_more
    }
    expect(walked.map(Number)).toEqual(walked.map((_, index) => index + 1))
    expect(walked.length).toBeGreaterThanOrEqual(5)
  })

  it('goes on where the last answer ended, and answers an empty page when nothing has happened', async () => {
    const person = await world.register()
    const { next_since: since } = await changes(person)
    expect(await changes(person, `?since=${since}`)).toEqual({
      items: [],
      next_since: since,
      has_more: false,
    })
    await addTasks(person, 1)
    const { items } = await changes(person, `?since=${since}`)
    expect(items.map(({ type }) => type)).toEqual(['task.created'])
  })

  it("shows nobody else's changes", async () => {
    const [one, other] = [await world.register(), await world.register()]
    await addTasks(other, 2)
    const { items } = await changes(one)
    expect(new Set(items.map(({ userid }) => userid))).toEqual(new Set([one.id]))
  })

  it.each([
    'since=abc',
    'since=-1',
    'since=99999999999999999999',
    'since=9223372036854775808',
    'limit=0',
    'limit=1001',
    'limit=x',
  ])('refuses ?%s, naming the field', async (query) => {
    const { token } = await world.register()
    const got = await world.ask('GET', `/api/changes?${query}`, { token })
    const field = query.split('=')[0]
    expect([got.status, JSON.parse(got.text)]).toMatchObject([422, { errors: [{ path: field }] }])
  })

  it('needs a token', async () => {
    expect((await world.ask('GET', '/api/changes')).status).toBe(401)
  })
})

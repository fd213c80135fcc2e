import { describe, expect, it } from 'vitest'
import { mountFunctions } from '../../shared/kit/mount-functions.ts'
import { systemIds } from '../../shared/kit/system.ts'
import { aChange, anEvent } from '../../testing/builders/a-task.ts'
import type { Person } from '../../testing/worlds/api-client.ts'
import { givenWorld } from '../../testing/worlds/api-world.ts'
import { tokenOf } from '../../testing/worlds/compose-daybook.ts'
import { openSession } from '../../testing/worlds/open-session.ts'
import { testDaybook } from '../../testing/worlds/test-daybook.ts'
import listChanges from './list-changes.ts'

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
    for (let since = '', more = true; more;) {
      const page = await changes(person, `?limit=2${since}`)
      walked.push(...page.items.map(({ sequence }) => sequence))
      since = `&since=${page.next_since}`
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

  it('answers about a megabyte at a time, each change once', async () => {
    const person = await world.register()
    const description = '\u0001'.repeat(4990)
    for (let n = 1; n <= 20; n += 1) {
      const { id } = await world.have(person, 'POST', '/api/tasks', {
        title: 'x',
        description: `${description} x`,
      })
      await world.have(person, 'PATCH', `/api/tasks/${String(id)}`, { description: `${description} y` })
    }
    const pages: Changes[] = []
    do pages.push(await changes(person, `?limit=1000&since=${pages.at(-1)?.next_since ?? 0}`))
    while (pages.at(-1)!.has_more)
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(1_100_000)
    const sequences = pages.flatMap(({ items }) => items.map(({ sequence }) => Number(sequence)))
    expect(sequences).toEqual(sequences.map((_, index) => index + 1))
    expect(pages.length).toBeGreaterThan(1)
  })

  it('answers 410 to a cursor ahead of all changes, of somebody else and of another history, and tells what to do', async () => {
    const [person, other] = [await world.register(), await world.register()]
    const { next_since: newest, items } = await changes(person, '?limit=1000')
    const ahead = Buffer.from(newest, 'base64url')
    ahead.writeBigUInt64BE(ahead.readBigUInt64BE(32) + 1n, 32)
    const elsewhere = Buffer.from(newest, 'base64url')
    elsewhere.write('0199d0a0000070008000', 0, 'hex')
    const todo = 'Load GET /api/snapshot, then go on with its cursor.'
    for (const [since, reason] of [
      [ahead.toString('base64url'), `There are no changes after ${items.length}.`],
      [String(items.length + 1), `There are no changes after ${items.length}.`],
      [elsewhere.toString('base64url'), 'The database was restored since.'],
      [(await changes(other)).next_since, 'The cursor belongs to another user.'],
    ]) {
      const got = await world.ask('GET', `/api/changes?since=${since}`, { token: person.token })
      expect([got.status, JSON.parse(got.text)]).toMatchObject([
        410,
        { code: 'changes.cursor_gone', detail: `${reason} ${todo}` },
      ])
    }
    await addTasks(person, 1)
    const next = await changes(person, `?since=${newest}`)
    expect(next.items.map(({ type }) => type)).toEqual(['task.created'])
  })

  it('answers 410 to a cursor before which changes were removed, down to the last of them', async () => {
    const { deps, sql } = await testDaybook()
    const userId = systemIds.uuid()
    await deps.changes.commit(aChange(userId, { events: [anEvent(), anEvent(), anEvent()] }))
    const app = mountFunctions([listChanges], deps)
    const ask = async (since: number) => {
      const headers = { authorization: `Bearer ${tokenOf(userId)}` }
      const answer = await app.request(`/api/changes?since=${since}`, { headers })
      const { items, detail } = (await answer.json()) as Partial<Changes & { detail: string }>
      return [answer.status, items?.map(({ sequence }) => Number(sequence)) ?? detail]
    }
    await sql`delete from events where user_id = ${userId} and seq <= 2`
    const tooOld = 'Changes before 3 are not kept. Load GET /api/snapshot, then go on with its cursor.'
    expect(await ask(0)).toEqual([410, tooOld])
    expect(await ask(1)).toEqual([410, tooOld])
    expect(await ask(2)).toEqual([200, [3]])
    await sql`delete from events where user_id = ${userId}`
    expect((await ask(2))[0]).toBe(410)
    expect(await ask(3)).toEqual([200, []])
    expect((await ask(4))[0]).toBe(410)
  })

  it('says where changes were asked for from to a token that may read the account', async () => {
    const { deps } = await testDaybook()
    const userId = systemIds.uuid()
    const from = { client_ip: '203.0.113.9', user_agent: 'a browser' }
    const by = { type: 'user', id: userId }
    const event = anEvent()
    await deps.changes.commit(
      aChange(userId, {
        events: [{ ...event, data: { ...(event.data as object), actor: { ...by, ...from } } }],
      }),
    )
    const app = mountFunctions([listChanges], deps)
    const actorFor = async (...scopes: string[]) => {
      const { token } = await openSession(deps, userId, { scopes })
      const answer = await app.request('/api/changes', { headers: { authorization: `Bearer ${token}` } })
      const { items } = (await answer.json()) as { items: { data: { actor: object } }[] }
      return items.map(({ data }) => data.actor)
    }
    expect(await actorFor('changes:read')).toEqual([by])
    for (const scopes of [['full'], ['changes:read', 'account:read']])
      expect(await actorFor(...scopes)).toEqual([{ ...by, ...from }])
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
    `since=${'/'.repeat(54)}`,
    `since=${'_'.repeat(54)}`,
    'wait=26',
    'wait=-1',
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

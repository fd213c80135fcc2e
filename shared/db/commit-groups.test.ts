import { beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from './connect.ts'
import { createChangeStore } from './change-store.ts'
import { createChangeFeed } from './outbox.ts'
import { inGroups } from './commit-groups.ts'
import { aChange, anAnswer, anEvent, aTask, tasksAdded } from '../testing/a-task.ts'
import { testDatabase } from '../testing/database.ts'
import { systemIds } from '../kit/system.ts'

const uuid = () => systemIds.uuid()

/** Groups that end when the test lets them. */
function heldGroups() {
  const groups: { items: readonly string[]; end: (results?: (string | Promise<string>)[]) => void }[] = []
  const submit = inGroups<string, string>({
    keyOf: (item) => item.split(' ')[0]!,
    run: (items) =>
      new Promise((resolve) => {
        groups.push({ items, end: (results) => resolve(results ?? items.map((item) => `${item} done`)) })
      }),
  })
  return { groups, submit }
}

const turn = () => new Promise(setImmediate)

describe('work in groups', () => {
  it('begins at once when nothing is under way, and gathers what comes meanwhile', async () => {
    const { groups, submit } = heldGroups()
    const results = ['a', 'b', 'c', 'd', 'e'].map(submit)
    expect(groups.map(({ items }) => items)).toEqual([['a'], ['b']])
    groups[0]!.end()
    await turn()
    expect(groups[2]!.items).toEqual(['c', 'd', 'e'])
    for (const group of groups) group.end()
    expect(await Promise.all(results)).toEqual(['a done', 'b done', 'c done', 'd done', 'e done'])
  })

  it('never has one key in two groups, and keeps its order', async () => {
    const { groups, submit } = heldGroups()
    const results = ['a 1', 'a 2', 'b 1', 'a 3'].map(submit)
    expect(groups.map(({ items }) => items)).toEqual([['a 1'], ['b 1']])
    groups[1]!.end()
    await turn()
    expect(groups).toHaveLength(2)
    groups[0]!.end()
    await turn()
    expect(groups[2]!.items).toEqual(['a 2', 'a 3'])
    groups[2]!.end()
    expect(await Promise.all(results)).toHaveLength(4)
  })

  it('gives each its own failure', async () => {
    const { groups, submit } = heldGroups()
    const results = ['a', 'b', 'c', 'd'].map(submit)
    groups[0]!.end([Promise.reject(new Error('no disk'))])
    await expect(results[0]).rejects.toThrow('no disk')
    groups[1]!.end()
    groups[2]!.end(['fine', Promise.reject(new Error('no luck'))])
    expect(await results[2]).toBe('fine')
    await expect(results[3]).rejects.toThrow('no luck')
  })

  it('goes on after a group that failed as a whole', async () => {
    const outcomes = [Promise.reject(new Error('no connection')), Promise.resolve(['fine'])]
    const submit = inGroups<string, string>({ keyOf: (item) => item, run: () => outcomes.shift()! })
    await expect(submit('a')).rejects.toThrow('no connection')
    expect(await submit('a')).toBe('fine')
  })

  it('does not wait for one of a group that takes longer, only what has its key does', async () => {
    const { groups, submit } = heldGroups()
    const slow = Promise.withResolvers<string>()
    const results = ['slow 1', 'other'].map(submit)
    groups[0]!.end([slow.promise])
    groups[1]!.end()
    await results[1]
    await turn()
    const [behind, free] = [submit('slow 2'), submit('free')]
    expect(groups[2]!.items).toEqual(['free'])
    groups[2]!.end()
    expect(await free).toBe('free done')
    slow.resolve('at last')
    expect(await results[0]).toBe('at last')
    await turn()
    groups[3]!.end()
    expect(await behind).toBe('slow 2 done')
  })
})

describe('changes committed together', () => {
  let sql: Sql
  beforeAll(async () => {
    sql = await testDatabase()
  })

  /** Users who have written before: the first change of a user is committed alone. */
  async function users(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, uuid)
    for (const id of ids) await createChangeStore(sql).commit(aChange(id))
    return ids
  }

  it('do not notice that one of them is refused, and it tells why', async () => {
    const store = createChangeStore(sql)
    const [first, owner, reuser, ...rest] = (await users(11)) as [string, string, string, ...string[]]
    await store.commit(aChange(reuser, { idempotency: anAnswer('one request') }))
    const stale = aTask({ userId: owner, version: 7 })
    const changes = [
      ...rest.map((user) => aChange(user)),
      aChange(owner, { changedTasks: [stale] }),
      aChange(first),
      aChange(reuser, { idempotency: anAnswer('another request') }),
      aChange(first),
    ]
    const outcomes = (await Promise.all(changes.map((change) => store.commit(change)))).map((r) => r.outcome)
    expect(outcomes.slice(0, 8)).toEqual(Array(8).fill('applied'))
    expect(outcomes.slice(8)).toEqual(['conflict', 'applied', 'key_reused', 'applied'])
    expect((await createChangeFeed(sql).after(first, 0, 10)).map(({ sequence }) => sequence)).toEqual([
      1, 2, 3,
    ])
    expect(await createChangeFeed(sql).after(owner, 0, 10)).toHaveLength(1)
  })

  it('do not wait for one whose user is held, which is applied when it is let go', async () => {
    const store = createChangeStore(sql)
    const [held, ...rest] = (await users(13)) as [string, ...string[]]
    let letGo = () => {}
    const holding = new Promise<void>((isHeld) => {
      void store.exclusively(held, async () => {
        isHeld()
        await new Promise<void>((resolve) => (letGo = resolve))
      })
    })
    await holding
    // Two that begin at once, so that those behind them come as one group.
    const leaders = rest.slice(0, 2).map((user) => store.commit(aChange(user)))
    const blocked = store.commit(aChange(held))
    const others = rest.slice(2).map((user) => store.commit(tasksAdded(user, [{ tags: ['Home'] }])))
    const results = await Promise.all([...leaders, ...others])
    expect(results.every(({ outcome }) => outcome === 'applied')).toBe(true)
    expect(await createChangeFeed(sql).after(held, 0, 10)).toHaveLength(1)
    letGo()
    expect((await blocked).outcome).toBe('applied')
    expect(await createChangeFeed(sql).after(held, 0, 10)).toHaveLength(2)
  })

  it('reject each for itself what the database cannot take', async () => {
    const store = createChangeStore(sql)
    const taken = anEvent()
    const [one, two, third, fourth] = (await users(4)) as [string, string, string, string]
    await store.commit(aChange(one, { events: [taken] }))
    const leaders = [store.commit(aChange(one)), store.commit(aChange(two))]
    const broken = store.commit(aChange(third, { events: [taken] }))
    const fine = store.commit(aChange(fourth))
    await expect(broken).rejects.toMatchObject({ code: '23505' })
    expect((await Promise.all([...leaders, fine])).map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('applied'),
    )
  })
})

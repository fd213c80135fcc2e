import { beforeAll, describe, expect, it } from 'vitest'
import type { Sql } from '../connect.ts'
import { changeRow } from './change-row.ts'
import { createChangeStore } from './change-store.ts'
import { createChangeLog } from '../sync/change-log.ts'
import { inGroups } from './commit-groups.ts'
import { aChange, anAnswer, anEvent, aTask, tasksAdded } from '../../../testing/builders/a-task.ts'
import { testDatabase } from '../../../testing/worlds/database.ts'
import { systemIds } from '../../kit/system.ts'

const uuid = () => systemIds.uuid()

/** Groups that end when the test lets them. */
function heldGroups() {
  const groups: { items: readonly string[]; end: (results?: (string | Promise<string>)[]) => void }[] = []
  const submit = inGroups<string, string>({
    keyOf: (item) => item.split(' ')[0]!,
    sizeOf: (item) => item.split('+').length,
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
    const submit = inGroups<string, string>({
      keyOf: (item) => item,
      sizeOf: () => 1,
      run: () => outcomes.shift()!,
    })
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
    expect((await createChangeLog(sql).after(first, 0, 10)).events.map(({ sequence }) => sequence)).toEqual([
      1, 2, 3,
    ])
    expect((await createChangeLog(sql).after(owner, 0, 10)).events).toHaveLength(1)
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
    expect((await createChangeLog(sql).after(held, 0, 10)).events).toHaveLength(1)
    letGo()
    expect((await blocked).outcome).toBe('applied')
    expect((await createChangeLog(sql).after(held, 0, 10)).events).toHaveLength(2)
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

  it('of one user are committed in order up to the first that is refused, and the rest is left', async () => {
    const store = createChangeStore(sql)
    const [user] = (await users(1)) as [string]
    const marked = (eventId: string) => aChange(user, { processed: { consumer: 'test', eventId } })
    const [one, two, three] = [uuid(), uuid(), uuid()]
    expect(await store.commitAll([marked(one), marked(two)])).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ])
    expect(await store.commitAll([marked(three), marked(two), marked(uuid())])).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'already_processed' },
    ])
    expect((await createChangeLog(sql).after(user, 0, 10)).events).toHaveLength(4)
  })

  it('of one user leave together what they leave one by one', async () => {
    const store = createChangeStore(sql)
    const [together, apart] = (await users(2)) as [string, string]
    const changesOf = (user: string) => [
      tasksAdded(user, [{ tags: ['Home', 'Work'] }]),
      tasksAdded(user, [{ tags: ['home'] }, {}]),
      aChange(user, { processed: { consumer: 'test', eventId: uuid() }, events: [anEvent(), anEvent()] }),
      tasksAdded(user, [{ tags: ['Work'] }]),
    ]
    const results = await store.commitAll(changesOf(together))
    expect(results.map(({ outcome }) => outcome)).toEqual(Array(4).fill('applied'))
    for (const change of changesOf(apart)) await store.commit(change)
    const left = async (user: string) => [
      await sql`select last_seq, active_tasks, completed_tasks, kept_tasks, writes from user_counters where user_id = ${user}`,
      await sql`select label, active, completed from tags where user_id = ${user} order by key`,
      (await createChangeLog(sql).after(user, 0, 10)).events.map(({ sequence, type }) => [sequence, type]),
    ]
    const [[counters], tags, events] = (await left(together)) as [[object], object[], object[]]
    const [[counted], ...others] = (await left(apart)) as [[{ writes: number }], object[], object[]]
    expect([tags, events]).toEqual(others)
    // All of them are one write.
    expect(counters).toEqual({ ...counted, writes: counted.writes - 3 })
  })

  it('of one user that meet in a row are decided as if they came one by one', async () => {
    const store = createChangeStore(sql)
    const [user] = (await users(1)) as [string]
    const task = aTask({ userId: user })
    const edited = (title: string) =>
      aChange(user, { changedTasks: [{ ...task, title, version: task.version + 1 }] })
    await store.commit(aChange(user, { newTasks: [task] }))
    expect(
      await store.commitAll([aChange(user), edited('first'), edited('second'), aChange(user)]),
    ).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }, { outcome: 'conflict' }])
    expect(await sql`select title from tasks where id = ${task.id}`).toEqual([{ title: 'first' }])
  })

  it('of one user are applied one after the other while somebody holds the user', async () => {
    const store = createChangeStore(sql)
    const [user] = (await users(1)) as [string]
    const isHeld = Promise.withResolvers<void>()
    const { promise, resolve } = Promise.withResolvers<void>()
    const holding = createChangeStore(sql).exclusively(user, () => (isHeld.resolve(), promise))
    await isHeld.promise
    const waiting = store.commitAll([aChange(user), aChange(user)])
    await store.commit(aChange(uuid()))
    resolve()
    await holding
    // The first at least; the second too, if the user was free by then.
    const results = await waiting
    expect(results.length).toBeGreaterThan(0)
    expect(results.every(({ outcome }) => outcome === 'applied')).toBe(true)
    expect((await createChangeLog(sql).after(user, 0, 10)).events).toHaveLength(1 + results.length)
  })

  it('of a user who is new are applied however many come at once', async () => {
    const user = uuid()
    const stores = Array.from({ length: 8 }, () => createChangeStore(sql))
    const results = await Promise.all(
      stores.map((store, nth) =>
        nth % 2 === 0
          ? store.commit(aChange(user))
          : store.exclusively(user, (inner) => inner.commit(aChange(user))),
      ),
    )
    expect(results.map(({ outcome }) => outcome)).toEqual(Array(8).fill('applied'))
    expect(await sql`select last_seq from user_counters where user_id = ${user}`).toEqual([{ last_seq: 8 }])
    const { events } = await createChangeLog(sql).after(user, 0, 10)
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('find one row of a user and one of each tag, whatever their turn', async () => {
    const [user] = (await users(1)) as [string]
    const tagDeltas = [{ key: 'home', label: 'home', active: 1, completed: 0 }]
    for (let nth = 0; nth < 70; nth += 1)
      await createChangeStore(sql).commit({ ...tasksAdded(user, [{}]), tagDeltas })
    const turns =
      await sql`select c.turn, t.turn as of_tag, t.active from user_counters c join tags t using (user_id)
      where user_id = ${user}`
    expect([...turns]).toEqual([{ turn: 2, of_tag: 2, active: 70 }])
  })

  const COUNTERS = ['user_counters', 'user_counters_pkey']
  it.each([
    [
      'who commits',
      (by: Sql, user: string) =>
        by`select commit_change(${by.json(changeRow(aChange(user, { events: [] })) as never)})`,
    ],
    ['who follows the changes', (by: Sql, user: string) => createChangeLog(by).after(user, 0, 1)],
  ])('are no more to read for %s while a transaction of somebody else stays open', async (_, work) => {
    const store = createChangeStore(sql)
    const [user] = (await users(1)) as [string]
    const commits = async (count: number) => {
      for (let nth = 0; nth < count; nth += 1) await store.commit(aChange(user, { events: [] }))
    }
    const pagesRead = () =>
      sql.begin(async (tx) => {
        const sum = () =>
          tx`select sum(pg_stat_get_xact_blocks_fetched(c::regclass))::int as pages from unnest(${COUNTERS}::text[]) c`
        const [before] = await sum()
        await work(tx as unknown as Sql, user)
        const [after] = await sum()
        return after!['pages'] - before!['pages']
      })
    await commits(100)
    await pagesRead()
    const before = await pagesRead()
    const { promise, resolve } = Promise.withResolvers<void>()
    const open = sql.begin('isolation level repeatable read', async (tx) => {
      await tx`select from user_counters limit 1`
      await promise
    })
    await commits(500)
    const after = await pagesRead()
    resolve()
    await open
    expect(before).toBeGreaterThan(0)
    expect(after).toBeLessThan(before + 4)
  })
})

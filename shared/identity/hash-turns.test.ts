import { describe, expect, it } from 'vitest'
import type { Visitor } from '../app/auth/ports.ts'
import { createHashTurns } from './hash-turns.ts'

/** Works that end when they are told to, in the order in which they began. */
function hall({ atOnce = 1, maxWaiting = 100 } = {}) {
  const inTurn = createHashTurns({ atOnce, maxWaiting })
  const begun: string[] = []
  const ends: (() => void)[] = []
  const visit = (lane: Visitor['lane'], client: string) =>
    inTurn({ lane, client }, () => {
      begun.push(client)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const flood = (lane: Visitor['lane'], clients: number, each: number) =>
    Array.from({ length: clients * each }, (_, nth) =>
      visit(lane, `hostile ${nth % clients}`).catch(() => {}),
    )
  /** What has its turn has begun. */
  const settled = () => new Promise(setImmediate)
  const endOne = async () => {
    await settled()
    ends.shift()!()
    await settled()
  }
  /** How many works end before one of this client begins. */
  const turnsUntil = async (client: string) => {
    let turns = 0
    for (; !begun.includes(client); turns += 1) await endOne()
    return turns
  }
  return { begun, visit, flood, settled, endOne, turnsUntil }
}

describe('createHashTurns', () => {
  it('never runs more than it may at once, nor two of one client', async () => {
    const { begun, visit, settled, endOne } = hall({ atOnce: 2 })
    for (const client of ['a', 'a', 'b', 'c']) void visit('unknown', client)
    await settled()
    expect(begun).toEqual(['a', 'b'])
    await endOne()
    expect(begun).toEqual(['a', 'b', 'c'])
    await endOne()
    expect(begun).toEqual(['a', 'b', 'c', 'a'])
  })

  it('lets a known client in after one work, whatever waits', async () => {
    const { flood, visit, turnsUntil } = hall()
    void flood('unknown', 12, 10)
    void visit('known', 'innocent')
    expect(await turnsUntil('innocent')).toBe(1)
  })

  it('lets a newcomer in after no more works than there are other newcomers', async () => {
    const { flood, visit, endOne, turnsUntil } = hall()
    void flood('unknown', 12, 8)
    void visit('unknown', 'early innocent')
    expect(await turnsUntil('early innocent')).toBe(12)
    for (let nth = 0; nth < 3; nth += 1) await endOne()
    void visit('unknown', 'late innocent')
    expect(await turnsUntil('late innocent')).toBe(1)
  })

  it('gives either lane every other turn', async () => {
    const { begun, visit, endOne } = hall()
    for (const client of ['first', 'u1', 'u2']) void visit('unknown', client)
    for (const client of ['k1', 'k2', 'k3']) void visit('known', client)
    for (let nth = 0; nth < 5; nth += 1) await endOne()
    expect(begun).toEqual(['first', 'k1', 'u1', 'k2', 'u2', 'k3'])
  })

  it('refuses the client with the most waiting when a lane is full, and takes the newcomer', async () => {
    const { visit, endOne, begun } = hall({ maxWaiting: 3 })
    void visit('unknown', 'running')
    const greedy = Array.from({ length: 4 }, () => visit('unknown', 'greedy'))
    await expect(greedy[3]).rejects.toMatchObject({ code: 'auth.rate_limited', retryAfterSeconds: 10 })
    void visit('unknown', 'modest')
    await expect(greedy[2]).rejects.toMatchObject({ code: 'auth.rate_limited' })
    await endOne()
    await endOne()
    expect(begun).toEqual(['running', 'greedy', 'modest'])
  })

  it('refuses who came last when everybody has one waiting', async () => {
    const { visit } = hall({ maxWaiting: 2 })
    for (const client of ['running', 'one', 'two']) void visit('unknown', client)
    await expect(visit('unknown', 'three')).rejects.toMatchObject({ code: 'auth.rate_limited' })
  })

  it('hands a turn on when the work fails', async () => {
    const inTurn = createHashTurns({ atOnce: 1, maxWaiting: 10 })
    const visit = (work: () => Promise<string>) => inTurn({ lane: 'unknown', client: 'a' }, work)
    await expect(visit(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await visit(async () => 'served')).toBe('served')
  })
})

import { describe, expect, it } from 'vitest'
import { systemTimer } from '../kit/system.ts'
import { createFairTurns } from './fair-turns.ts'

/** Work that ends when it is told to, and the order in which it has begun. */
function bench(limits: Parameters<typeof createFairTurns>[0]) {
  const inTurn = createFairTurns(limits, systemTimer)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const start = (userId: string, name: string) =>
    inTurn(userId, async () => {
      begun.push(name)
      await new Promise<void>((resolve) => ends.set(name, resolve))
      return name
    })
  return { inTurn, begun, start, end: (name: string) => ends.get(name)!() }
}

describe('fair turns', () => {
  it('run one of each user at a time, and the users in turn', async () => {
    const { begun, start, end } = bench({ atOnce: 1, maxOfUser: 5, maxUsers: 5, maxWaitMs: 60_000 })
    const all = ['a1', 'a2', 'a3', 'b1', 'c1'].map((name) => start(name[0]!, name))
    for (const [index, name] of ['a1', 'b1', 'c1', 'a2', 'a3'].entries()) {
      await expect.poll(() => begun[index]).toBe(name)
      end(name)
    }
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'b1', 'c1'])
  })

  it('leave the second place to another user', async () => {
    const { begun, start, end } = bench({ atOnce: 2, maxOfUser: 5, maxUsers: 5, maxWaitMs: 60_000 })
    const all = [start('a', 'a1'), start('a', 'a2'), start('b', 'b1')]
    await expect.poll(() => begun).toEqual(['a1', 'b1'])
    end('a1')
    await expect.poll(() => begun).toEqual(['a1', 'b1', 'a2'])
    for (const name of ['a2', 'b1']) end(name)
    await Promise.all(all)
  })

  it('refuse what is too much of one user, or of all, and take it again afterwards', async () => {
    const { start, end, begun } = bench({ atOnce: 1, maxOfUser: 2, maxUsers: 2, maxWaitMs: 60_000 })
    const all = [start('a', 'a1'), start('a', 'a2'), start('b', 'b1')]
    const busy = { code: 'service.unavailable', retryAfterSeconds: 2 }
    await expect(start('a', 'a3')).rejects.toMatchObject(busy)
    await expect(start('c', 'c1')).rejects.toMatchObject(busy)
    for (const name of ['a1', 'b1', 'a2']) {
      await expect.poll(() => begun.at(-1)).toBe(name)
      end(name)
    }
    await Promise.all(all)
    const later = start('c', 'c2')
    await expect.poll(() => begun.at(-1)).toBe('c2')
    end('c2')
    expect(await later).toBe('c2')
  })

  it('refuse who has waited too long, and keep no place for them', async () => {
    const { start, end, begun } = bench({ atOnce: 1, maxOfUser: 2, maxUsers: 2, maxWaitMs: 1 })
    const first = start('a', 'a1')
    const busy = { code: 'service.unavailable', retryAfterSeconds: 2 }
    await expect(start('b', 'b1')).rejects.toMatchObject(busy)
    await expect(start('a', 'a2')).rejects.toMatchObject(busy)
    await expect(start('c', 'c1')).rejects.toMatchObject(busy)
    end('a1')
    expect([await first, begun]).toEqual(['a1', ['a1']])
    const next = start('d', 'd1')
    await expect.poll(() => begun.at(-1)).toBe('d1')
    end('d1')
    expect(await next).toBe('d1')
  })

  it('go on after one has failed', async () => {
    const { inTurn } = bench({ atOnce: 1, maxOfUser: 2, maxUsers: 2, maxWaitMs: 60_000 })
    await expect(inTurn('a', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
    expect(await inTurn('a', async () => 'done')).toBe('done')
  })
})

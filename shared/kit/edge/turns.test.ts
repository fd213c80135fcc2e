import { expect, it } from 'vitest'
import { createTurns, MAX_WAITING } from './turns.ts'

/** Works that end when they are told to, and time that passes when it is told to. */
function given(maxWeight: number) {
  const timers = new Set<() => void>()
  const inTurn = createTurns(maxWeight, (work) => {
    timers.add(work)
    return () => void timers.delete(work)
  })
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<void>>()
  const refused: string[] = []
  const ask = (owner: string, name: string, weight = 1) => {
    const end = Promise.withResolvers<void>()
    ends.set(name, end)
    const work = () => {
      begun.push(name)
      return end.promise
    }
    const done = inTurn(owner, weight, work)
    done.catch((error: { code: string }) => refused.push(`${name} ${error.code}`))
    return done
  }
  const settle = () => new Promise(setImmediate)
  return {
    begun,
    refused,
    timers,
    ask,
    settle,
    end: async (name: string) => {
      ends.get(name)?.resolve()
      await settle()
    },
    fail: async (name: string) => {
      ends.get(name)?.reject(Object.assign(new Error('broken'), { code: 'broken' }))
      await settle()
    },
    passTime: async () => {
      for (const work of timers) if (timers.delete(work)) work()
      await settle()
    },
  }
}

it('runs so much of one owner at once and keeps nobody else waiting', async () => {
  const { begun, ask, end } = given(2)
  for (const name of ['a1', 'a2', 'a3', 'a4']) void ask('ada', name)
  void ask('bob', 'b1')
  expect(begun).toEqual(['a1', 'a2', 'b1'])
  await end('a2')
  await end('a1')
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'a4'])
})

it('lets heavy works in when there is room for them, and nobody past them', async () => {
  const { begun, ask, end } = given(4)
  for (const name of ['list', 'changes', 'search']) void ask('ada', name, 2)
  void ask('ada', 'get')
  expect(begun).toEqual(['list', 'changes'])
  await end('list')
  expect(begun).toEqual(['list', 'changes', 'search'])
  await end('changes')
  expect(begun).toEqual(['list', 'changes', 'search', 'get'])
})

it('runs what is heavier than all it may run, alone', async () => {
  const { begun, ask, end } = given(1)
  void ask('ada', 'list', 2)
  void ask('ada', 'get')
  expect(begun).toEqual(['list'])
  await end('list')
  expect(begun).toEqual(['list', 'get'])
})

it('goes on after a work that failed', async () => {
  const { begun, refused, ask, fail } = given(1)
  void ask('ada', 'a1').catch(() => {})
  void ask('ada', 'a2')
  await fail('a1')
  expect([begun, refused]).toEqual([['a1', 'a2'], ['a1 broken']])
})

it('refuses whoever comes when too many wait, and takes the next when there is room again', async () => {
  const { refused, begun, ask, end, settle } = given(1)
  for (let nth = 0; nth <= MAX_WAITING; nth += 1) void ask('ada', `a${nth}`)
  void ask('ada', 'late').catch(() => {})
  void ask('bob', 'b1')
  await settle()
  expect([refused, begun]).toEqual([['late rate_limit.exceeded'], ['a0', 'b1']])
  await end('a0')
  void ask('ada', 'next')
  await settle()
  expect(refused).toHaveLength(1)
})

it('refuses what has waited too long, and runs what it held up', async () => {
  const { refused, begun, ask, passTime, end, timers } = given(3)
  void ask('ada', 'heavy', 2)
  void ask('ada', 'other', 2).catch(() => {})
  await passTime()
  expect([refused, begun]).toEqual([['other rate_limit.exceeded'], ['heavy']])
  void ask('ada', 'light')
  expect(begun).toEqual(['heavy', 'light'])
  await end('heavy')
  await end('light')
  expect(timers.size).toBe(0)
})

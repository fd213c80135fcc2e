import { expect, it } from 'vitest'
import { createFairLanes } from './fair-lanes.ts'

/** Works that end when they are told to. */
function bench(lanes: number) {
  const fair = createFairLanes(lanes)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const add = (owner: string, name = owner, shared?: string) =>
    fair.add(
      owner,
      () => {
        begun.push(name)
        return new Promise((resolve) => ends.push(resolve))
      },
      shared,
    )
  const endOne = async () => {
    const next = fair.next()
    ends.shift()!()
    await next
  }
  return { fair, begun, add, endOne }
}

it('gives one owner a quarter of the lanes, whatever they ask for', () => {
  const { fair, begun, add } = bench(8)
  for (let nth = 0; nth < 20; nth += 1) add('greedy')
  add('modest')
  expect(begun).toEqual(['greedy', 'greedy', 'modest'])
  expect([fair.crowding(), fair.isFull(), fair.size()]).toEqual([['greedy'], false, 21])
})

it('gives all that share something a quarter of the lanes, whosever they are', async () => {
  const { begun, add, endOne } = bench(8)
  for (const owner of ['a', 'b', 'c', 'd']) add(owner, `${owner} there`, 'a host that hangs')
  add('d', 'd elsewhere', 'another')
  add('e', 'e nowhere')
  expect(begun).toEqual(['a there', 'b there', 'd elsewhere', 'e nowhere'])
  await endOne()
  expect(begun.at(-1)).toBe('c there')
  await endOne()
  expect(begun.at(-1)).toBe('d there')
})

it('goes on with what waits, in its order, when a lane is free', async () => {
  const { fair, begun, add, endOne } = bench(4)
  for (const name of ['1', '2', '3']) add('one', name)
  expect(begun).toEqual(['1'])
  await endOne()
  await endOne()
  expect([begun, fair.crowding()]).toEqual([['1', '2', '3'], []])
})

it('never runs more than there are lanes, and says when all is done', async () => {
  const { fair, begun, add, endOne } = bench(4)
  for (const owner of ['a', 'b', 'c', 'd', 'e']) add(owner)
  expect([begun.length, fair.isFull()]).toEqual([4, true])
  let isIdle = false
  void fair.idle().then(() => (isIdle = true))
  for (let nth = 0; nth < 4; nth += 1) await endOne()
  expect([begun.length, isIdle]).toEqual([5, false])
  await endOne()
  expect([fair.size(), isIdle]).toEqual([0, true])
})

import { describe, expect, it } from 'vitest'
import { aChange } from '../../../testing/builders/a-task.ts'
import type { Change, CommitResult } from '../../app/ports.ts'
import { inOrder } from './in-order.ts'

const turn = () => new Promise(setImmediate)

/** A store that commits all it is given, up to the first of `refused`, which is refused once. */
function store(refused: string[] = []) {
  const commits: string[][] = []
  const commitAll = async (changes: readonly Change[]) => {
    const names = changes.map(({ userId }) => userId)
    const stop = names.findIndex((name) => refused.includes(name))
    commits.push(names)
    await turn()
    if (stop === -1) return names.map((): CommitResult => ({ outcome: 'applied' }))
    refused.splice(refused.indexOf(names[stop]!), 1)
    return [
      ...names.slice(0, stop).map((): CommitResult => ({ outcome: 'applied' })),
      { outcome: 'conflict' as const },
    ]
  }
  return { commits, commitAll }
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `${n}`)

describe('work in order', () => {
  it('commits together and in order what was decided side by side, whichever was first', async () => {
    const changes = store()
    const gates = new Map<string, () => void>()
    const done = inOrder(names(5), changes, async (name, commit) => {
      await new Promise<void>((resolve) => gates.set(name, resolve))
      return (await commit(aChange(name))).outcome === 'applied'
    })
    for (const name of ['4', '2', '3', '1', '0']) {
      gates.get(name)!()
      await turn()
    }
    expect(await done).toBe(5)
    expect(changes.commits).toEqual([['0', '1', '2', '3', '4']])
  })

  it('goes on behind an item that has nothing to commit', async () => {
    const changes = store()
    const done = await inOrder(names(3), changes, async (name, commit) =>
      name === '1' ? true : (await commit(aChange(name))).outcome === 'applied',
    )
    expect(done).toBe(3)
    expect(changes.commits.flat()).toEqual(['0', '2'])
  })

  it('lets one that is refused decide again before any behind it', async () => {
    const changes = store(['1'])
    const attempts: string[] = []
    const done = await inOrder(names(4), changes, async (name, commit) => {
      for (;;) {
        attempts.push(name)
        if ((await commit(aChange(name))).outcome === 'applied') return true
        await turn()
      }
    })
    expect(done).toBe(4)
    expect(attempts.toSorted()).toEqual(['0', '1', '1', '2', '3'])
    const applied = changes.commits.flat().toReversed()
    expect([...new Set(applied)].toReversed()).toEqual(['0', '1', '2', '3'])
  })

  it('commits nothing from the first on that fails, and starts nothing more', async () => {
    const changes = store()
    const started: string[] = []
    const done = await inOrder(names(60), changes, async (name, commit) => {
      started.push(name)
      await turn()
      if (name === '2') return false
      return await commit(aChange(name)).then(
        () => true,
        () => false,
      )
    })
    expect(done).toBe(2)
    expect(changes.commits.flat()).toEqual(['0', '1'])
    expect(started.length).toBeLessThan(60)
  })

  it('fails all that were committed together when the store does', async () => {
    const changes = { commitAll: () => Promise.reject(new Error('no connection')) }
    const done = await inOrder(names(3), changes, (name, commit) =>
      commit(aChange(name)).then(
        () => true,
        () => false,
      ),
    )
    expect(done).toBe(0)
  })
})

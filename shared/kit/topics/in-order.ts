import type { Change, ChangeStore, CommitResult } from '../../app/ports.ts'

type Commit = (change: Change) => Promise<CommitResult>

/** What one piece of work is about: to decide what to commit, to wait with a change for its turn, or nothing more. */
interface Place {
  state: 'deciding' | 'waiting' | 'done'
  waiting?: { change: Change } & Pick<PromiseWithResolvers<CommitResult>, 'resolve' | 'reject'>
}

const SIDE_BY_SIDE = 16
const overtaking = () => new Error('an earlier event of the user failed')

/**
 * Decides about items of one user side by side and commits what that leads to together, in the order of the items. From
 * the first that fails on none is committed any more; resolves to how many were done before it.
 */
export async function inOrder<Item>(
  items: readonly Item[],
  changes: Pick<ChangeStore, 'commitAll'>,
  work: (item: Item, commit: Commit) => Promise<boolean>,
): Promise<number> {
  const places = items.map((): Place => ({ state: 'deciding' }))
  let next = 0
  let end = items.length
  let isCommitting = false

  const commitAt = (index: number) => (change: Change) =>
    new Promise<CommitResult>((resolve, reject) => {
      if (index >= end) return reject(overtaking())
      if (places[index]!.waiting) throw new TypeError('an event commits one change at a time')
      places[index] = { state: 'waiting', waiting: { change, resolve, reject } }
      void commitWaiting()
    })

  /** Those whose turn it is: no earlier one still decides. */
  async function commitWaiting(): Promise<void> {
    if (isCommitting) return
    const stop = places.findIndex(({ state }, index) => index >= end || state === 'deciding')
    const turn = places.slice(0, stop === -1 ? end : stop).flatMap(({ waiting }) => waiting ?? [])
    if (turn.length === 0) return
    isCommitting = true
    try {
      const results = await changes.commitAll(turn.map(({ change }) => change))
      for (const [index, result] of results.entries()) settle(turn[index]!, ({ resolve }) => resolve(result))
    } catch (error) {
      for (const one of turn) settle(one, ({ reject }) => reject(error))
    }
    isCommitting = false
    void commitWaiting()
  }

  function settle(
    one: NonNullable<Place['waiting']>,
    tell: (one: NonNullable<Place['waiting']>) => void,
  ): void {
    places[places.findIndex(({ waiting }) => waiting === one)] = { state: 'deciding' }
    tell(one)
  }

  /** Those behind one that failed are not committed: their turn does not come. */
  function fail(index: number): void {
    end = Math.min(end, index)
    const behind = places.slice(end).flatMap(({ waiting }) => waiting ?? [])
    for (const one of behind) settle(one, ({ reject }) => reject(overtaking()))
  }

  async function takeTurns(): Promise<void> {
    while (next < end) {
      const index = next++
      if (!(await work(items[index]!, commitAt(index)))) return fail(index)
      places[index] = { state: 'done' }
      void commitWaiting()
    }
  }

  await Promise.all(items.slice(0, SIDE_BY_SIDE).map(takeTurns))
  return end
}
